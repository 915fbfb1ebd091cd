openapi-python-client generate --path "$DOCUMENT" --output-path generated --fail-on-warning >generator.log || { cat generator.log; exit 1; }
PYTHONPATH=generated python "$CLIENT/main.py"
