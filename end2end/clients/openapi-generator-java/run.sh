# Compiled against Debian's jars, and the jar of the generator for the rest of Jackson.
openapi-generator-cli generate --input-spec "$DOCUMENT" --generator-name java --output generated --library native \
    --additional-properties=openApiNullable=false,enumUnknownDefaultCase=true \
    --additional-properties=invokerPackage=latchkey,apiPackage=latchkey.api,modelPackage=latchkey.model >generator.log
jars=$(find "$TOOLS/../lib" -name openapi-generator.jar)
for jar in geronimo-annotation-1.3-spec jsr305 httpmime; do jars=$jars:/usr/share/java/$jar.jar; done
find generated/src/main -name '*.java' >sources
javac -nowarn -Xlint:none -d classes -cp "$jars" @sources "$CLIENT/Main.java"
java -cp "classes:$jars" Main
