/**
 * The services over a data directory: what every app opens, opened one way.
 *
 * Nothing is read or made until a layer is built. An app builds what it needs: commands that only look leave DuckDB out.
 */
import { EmbeddedLog, kafkaAccess, kafkaLogLayer } from "@frazil/connect"
import { layerLocal } from "@frazil/core"
import { CheckpointStore, type Log, LogError } from "@frazil/engine"
import { DuckDb, FileIO, layerSqliteCatalog } from "@frazil/lake"
import { Effect, Layer } from "effect"
import type { DataDirectory } from "./DataDirectory.ts"
import type { BrokerAddress } from "./LogPlace.ts"
import { readConnections, settingsPath } from "./SettingsFile.ts"

/** Files of tables. */
export const storageLayer = (directory: DataDirectory) => layerLocal(directory.warehouseUri)

/** A log on Kafka, let in as the connection of `frazil.yaml` says that names one of the brokers. */
const kafkaLayer = (brokers: ReadonlyArray<BrokerAddress>, retryMs: number | undefined): Layer.Layer<Log, LogError> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { connections } = yield* readConnections(settingsPath)
      const access = yield* kafkaAccess(connections, brokers)
      return kafkaLogLayer({ brokers, ...access, ...(retryMs === undefined ? {} : { retryMs }) })
    }).pipe(Effect.mapError(({ message }) => new LogError({ reason: "Refused", message })))
  )

/** `busyTimeoutMs`: how long another process's transaction on an embedded log is waited for, or brokers out of reach are. */
export const logLayer = ({ log, logFile }: DataDirectory, busyTimeoutMs?: number): Layer.Layer<Log, LogError> =>
  log._tag === "Kafka"
    ? kafkaLayer(log.brokers, busyTimeoutMs)
    : EmbeddedLog.layer({ file: logFile, ...(busyTimeoutMs === undefined ? {} : { busyTimeoutMs }) })

const checkpointLayer = (directory: DataDirectory) =>
  CheckpointStore.layer(directory.checkpointsUri).pipe(Layer.provide(layerLocal(directory.checkpointsUri)))

/** The catalog and the lake's metadata files. */
export const catalogLayer = (directory: DataDirectory) =>
  layerSqliteCatalog({ file: directory.catalogFile, warehouse: directory.warehouseUri }).pipe(
    Layer.provideMerge(FileIO.layer),
    Layer.provide(storageLayer(directory))
  )

export const duckDbLayer = (directory: DataDirectory) => DuckDb.layer({ dataDirectory: directory.root })

/** Everything that the pipeline needs of a data directory. */
export const systemLayer = (directory: DataDirectory) =>
  Layer.mergeAll(
    logLayer(directory),
    checkpointLayer(directory),
    catalogLayer(directory),
    duckDbLayer(directory),
    storageLayer(directory)
  )
