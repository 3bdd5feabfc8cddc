export { dataDirectory, type DataDirectory, sayLog } from "./DataDirectory.ts"
export { existingData, existingLake, hasLog, locate, type LocationOptions } from "./ExistingData.ts"
export * as Flags from "./Flags.ts"
export { readConnections, readSettingsFile, readSinks, settingsPath } from "./SettingsFile.ts"
export { catalogLayer, duckDbLayer, logLayer, storageLayer, systemLayer } from "./Layers.ts"
export * as Units from "./Units.ts"
export {
  type Declared,
  landingProblem,
  type LandingStatus,
  landingStatuses,
  type StageStatus,
  stageStatuses
} from "./status/SystemStatus.ts"
export { type Lineage, type LineageEdge, type LineageNode, readLineage, withRates } from "./status/Lineage.ts"
export { type Part, partsJson } from "./health/Part.ts"
export { tellAddress } from "./health/ApiChecks.ts"
export { examine, healthBoundsDefault } from "./health/Examine.ts"
export { makeSystemReadings, type Thresholds, thresholdsDefault } from "./watch/SystemReadings.ts"
export { watchSystem } from "./watch/WatchSystem.ts"
