# Both fail on warnings.
cp "$CLIENT/redocly.yaml" "$CLIENT/spectral.yaml" .
cp "$DOCUMENT" openapi.json
redocly lint openapi.json --config redocly.yaml --format json >redocly.json 2>redocly.log || { cat redocly.json; exit 1; }
node --eval '
  const { totals, problems } = JSON.parse(require("fs").readFileSync("redocly.json", "utf8"));
  if (totals.errors + totals.warnings > 0) { console.error(JSON.stringify(problems, null, 2)); process.exit(1); }
'
spectral lint openapi.json --ruleset spectral.yaml --fail-severity warn
