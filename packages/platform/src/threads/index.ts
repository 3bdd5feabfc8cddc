/** What a thread's own program needs, and no more: the lake and its database are not loaded for it. */
export { dataDirectory } from "../DataDirectory.ts"
export { checkpointLayer, logLayer } from "../LogLayers.ts"
export { readConnections, settingsPath } from "../SettingsFile.ts"
export { runThread, runThreadOn, type ThreadContext, type ThreadPort } from "./ThreadSide.ts"
