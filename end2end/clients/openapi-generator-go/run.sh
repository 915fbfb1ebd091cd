# Needs the standard library only.
openapi-generator-cli generate --input-spec "$DOCUMENT" --generator-name go --output generated/latchkey \
    --additional-properties=packageName=latchkey,withGoMod=false,enumClassPrefix=true >generator.log
# The generated tests need a module that is published.
rm -r generated/latchkey/test
cp "$CLIENT/main.go" generated/main.go
cd generated
printf 'module example.com/client\n\ngo 1.23\n' >go.mod
go vet ./...
go run .
