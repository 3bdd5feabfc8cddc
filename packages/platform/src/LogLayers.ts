/**
 * The log of a data directory and its snapshots: what jobs run on, without the lake.
 *
 * `Layers.ts` adds the rest; a thread that only runs jobs opens these.
 */
import { EmbeddedLog, kafkaAccess, kafkaLogLayer, readStateKeys } from "@frazil/connect"
import {
  CheckpointStore,
  localStateFolder,
  type Log,
  LogError,
  makeStateSeal,
  StateFolder,
  StateSealing
} from "@frazil/engine"
import { Effect, Layer } from "effect"
import type { DataDirectory } from "./DataDirectory.ts"
import type { BrokerAddress } from "./LogPlace.ts"
import { readConnections, readStateEncryption, settingsPath } from "./SettingsFile.ts"
import { storageBelow } from "./StorageLayer.ts"

/** A log on Kafka, let in as the connection of `frazil.yaml` says that names one of the brokers. */
const kafkaLayer = (
  brokers: ReadonlyArray<BrokerAddress>,
  more: { readonly retryMs?: number; readonly readAheadBytesMax: number }
): Layer.Layer<Log, LogError> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { connections } = yield* readConnections(settingsPath)
      const access = yield* kafkaAccess(connections, brokers)
      return kafkaLogLayer({ brokers, ...access, ...more })
    }).pipe(Effect.mapError(({ message }) => new LogError({ reason: "Refused", message })))
  )

/** What logs of one process keep of fetches that nobody took yet, all of them together. */
const readAheadBytesMax = 64 * 1_048_576
/** A log's part of it at least: some batches of the largest size, decompressed. Where fewer fit, they are fetched again. */
const readAheadBytesMin = 16 * 1_048_576

/** One of `logs` in a process: the main thread's, and one for each thread that runs jobs. */
const readAheadPart = (logs: number): number => Math.max(readAheadBytesMin, Math.floor(readAheadBytesMax / logs))

export interface LogOptions {
  /** How long another process's transaction on an embedded log is waited for, or brokers out of reach are. */
  readonly busyTimeoutMs?: number
  /** Of a process with several threads: how many logs it opens. What is bounded for a process is divided by them. */
  readonly logs?: number
}

export const logLayer = (
  { log, logFile }: DataDirectory,
  { busyTimeoutMs, logs = 1 }: LogOptions = {}
): Layer.Layer<Log, LogError> =>
  log._tag === "Kafka"
    ? kafkaLayer(log.brokers, {
        readAheadBytesMax: readAheadPart(logs),
        ...(busyTimeoutMs === undefined ? {} : { retryMs: busyTimeoutMs })
      })
    : EmbeddedLog.layer({ file: logFile, ...(busyTimeoutMs === undefined ? {} : { busyTimeoutMs }) })

/** What encrypts state at rest: the key of `frazil.yaml`, if one is set there. */
const sealingLayer: Layer.Layer<never, LogError> = Layer.effect(
  StateSealing,
  Effect.gen(function* () {
    const encryption = yield* readStateEncryption(settingsPath)
    return encryption === undefined ? yield* StateSealing : makeStateSeal(yield* readStateKeys(encryption))
  }).pipe(Effect.mapError(({ message }) => new LogError({ reason: "Refused", message })))
)

/** Snapshots of keyed state, what state is encrypted with, and where operators keep state that they declare to be on disk. */
export const checkpointLayer = (directory: DataDirectory) =>
  CheckpointStore.layer(directory.checkpointsUri).pipe(
    Layer.provide(storageBelow(directory.checkpointsUri, directory)),
    Layer.merge(sealingLayer),
    Layer.merge(Layer.succeed(StateFolder, localStateFolder(directory.stateFolder)))
  )
