export type { CatalogPlace } from "./CatalogPlace.ts"
export { dataDirectory, type DataDirectory, sayCatalog, sayLog } from "./DataDirectory.ts"
export { existingData, existingLake, hasCatalog, hasLog, locate, type LocationOptions } from "./ExistingData.ts"
export { openInstanceGroup } from "./InstanceGroup.ts"
export * as Flags from "./Flags.ts"
export { readConnections, readSettingsFile, readSinks, readStateEncryption, settingsPath } from "./SettingsFile.ts"
export { catalogLayer, duckDbLayer, storageLayer, systemLayer } from "./Layers.ts"
export { checkpointLayer, logLayer } from "./LogLayers.ts"
export { collectInTime } from "./memory/CollectInTime.ts"
export * as Units from "./Units.ts"
export {
  type Declared,
  landingProblem,
  type LandingStatus,
  landingStatuses,
  type SinkStatus,
  sinkStatuses,
  type StageStatus,
  stageStatuses
} from "./status/SystemStatus.ts"
export { type Lineage, type LineageEdge, type LineageNode, readLineage, withRates } from "./status/Lineage.ts"
export { type Part, partsJson } from "./health/Part.ts"
export { tellAddress } from "./health/ApiChecks.ts"
export { examine, healthBoundsDefault } from "./health/Examine.ts"
export { makeSystemReadings, type Thresholds, thresholdsDefault } from "./watch/SystemReadings.ts"
export { watchSystem } from "./watch/WatchSystem.ts"
export { spawnWorker, type SpawnThread, stopThread, type ThreadSaid, ThreadWatcher } from "./threads/Thread.ts"
export { makeThreads, type Threads, type ThreadsOptions } from "./threads/Threads.ts"
