export default {
  input: process.env.DOCUMENT,
  logs: { file: false },
  output: { path: "generated", importFileExtension: ".js" },
  plugins: ["@hey-api/client-fetch", "@hey-api/sdk", "@hey-api/typescript"],
};
