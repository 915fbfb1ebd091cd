cp "$CLIENT/main.mjs" .
node main.mjs
