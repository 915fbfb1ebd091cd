openapi-generator-cli generate --input-spec "$DOCUMENT" --generator-name python --output generated \
    --additional-properties=packageName=latchkey_api >generator.log
PYTHONPATH=generated python "$CLIENT/main.py"
