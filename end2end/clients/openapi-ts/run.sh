openapi-ts --file "$CLIENT/openapi-ts.config.mjs" >generator.log
cp "$CLIENT/main.ts" .
tsc --project tsconfig.json
node main.js
