# Needs the standard library only. The generated tests would need another module.
openapi-generator-cli generate --input-spec "$DOCUMENT" --generator-name go --output generated/latchkey \
    --global-property=apiTests=false,modelTests=false \
    --additional-properties=packageName=latchkey,withGoMod=false,disallowAdditionalPropertiesIfNotPresent=false >generator.log
cp "$CLIENT/main.go" generated/main.go
cd generated
printf 'module example.com/client\n\ngo 1.23\n' >go.mod
go vet ./...
go run .
