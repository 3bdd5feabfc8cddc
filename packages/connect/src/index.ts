export { EmbeddedLog, type EmbeddedLogOptions, makeEmbeddedLog, recordBytesMaxDefault } from "./embedded/EmbeddedLog.ts"
