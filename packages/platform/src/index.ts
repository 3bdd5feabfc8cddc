export { dataDirectory, type DataDirectory } from "./DataDirectory.ts"
export * as Flags from "./Flags.ts"
export { runApp } from "./Main.ts"
export { SettingsError } from "./SettingsFile.ts"
