// Types of what asyncapi.json describes, by @asyncapi/modelina: a file each.
// node models.mjs typescript|go asyncapi.json FOLDER
import { readFileSync } from "node:fs";
import modelina from "@asyncapi/modelina";

const [, , language, document, folder] = process.argv;
const { GO_COMMON_PRESET, GoFileGenerator, TypeScriptFileGenerator } = modelina;
const makers = {
  typescript: () => [
    // Names as they are on the wire.
    new TypeScriptFileGenerator({ modelType: "interface", enumType: "union", rawPropertyNames: true }),
    { exportType: "named" },
  ],
  go: () => [
    new GoFileGenerator({ presets: [{ preset: GO_COMMON_PRESET, options: { addJsonTag: true } }] }),
    { packageName: "models" },
  ],
};
const [maker, options] = makers[language]();
const models = await maker.generateToFiles(JSON.parse(readFileSync(document, "utf8")), folder, options, true);
console.log(`${models.length} ${language} types in ${folder}`);
