openapi-typescript "$DOCUMENT" --output schema.d.ts >generator.log
cp "$CLIENT/main.ts" .
tsc --project tsconfig.json
node main.js
