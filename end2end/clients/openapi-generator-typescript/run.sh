openapi-generator-cli generate --input-spec "$DOCUMENT" --generator-name typescript-fetch --output generated \
    --additional-properties=importFileExtension=.js >generator.log
cp "$CLIENT/main.ts" .
tsc --project tsconfig.json
node main.js
