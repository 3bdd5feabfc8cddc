/**
 * `frazil.yaml`: the same settings as options and environment, for what stays the same, and the connections.
 *
 * `data: ./d` is `FRAZIL_DATA=./d`; the environment wins over the file and options win over both. `connections` declares
 * other systems by name, apart from rules and pipelines, and `sinks` which topic goes to which of them; `@frazil/connect`
 * decodes both.
 */
import { readFile } from "node:fs/promises"
import {
  type ConnectionError,
  decodeConnections,
  type DecodedConnections,
  type DecodedSinks,
  decodeSinks,
  decodeStateEncryption,
  type SinkContext,
  type StateEncryption
} from "@frazil/connect"
import { Effect, Schema } from "effect"

class SettingsError extends Schema.TaggedError<SettingsError>()("SettingsError", {
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

/** Where every app looks for it: the working directory. */
export const settingsPath = "frazil.yaml"

const Settings = Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite, Schema.Boolean]))
const Document = Schema.Record(Schema.String, Schema.Unknown)

const environmentName = (key: string) => `FRAZIL_${key.replaceAll("-", "_").toUpperCase()}`

export interface SettingsFile {
  /** Under their environment names. */
  readonly settings: Readonly<Record<string, string>>
  readonly declaredConnections: unknown
  readonly declaredSinks: unknown
  readonly declaredState: unknown
}

const noFile: SettingsFile = {
  settings: {},
  declaredConnections: undefined,
  declaredSinks: undefined,
  declaredState: undefined
}

/** What the file holds; empty when there is no file. */
export const readSettingsFile = Effect.fnUntraced(function* (
  path: string
): Effect.fn.Return<SettingsFile, SettingsError> {
  const text = yield* Effect.promise(() => readFile(path, "utf8").catch(() => undefined))
  if (text === undefined) return noFile
  // without the parser's own words: they quote the file, which may hold what it should not
  const invalid = () =>
    new SettingsError({
      message: `${path} cannot be read: it must hold lines such as "data: ./data", connections, sinks and state`
    })
  // read only when there is a file: most runs have none
  const { parse } = yield* Effect.promise(() => import("yaml"))
  const document = yield* Effect.try({ try: (): unknown => parse(text) ?? {}, catch: invalid })
  const { connections, sinks, state, ...rest } = yield* Effect.mapError(
    Schema.decodeUnknownEffect(Document)(document),
    invalid
  )
  const settings = yield* Effect.mapError(Schema.decodeUnknownEffect(Settings)(rest), invalid)
  return {
    settings: Object.fromEntries(Object.entries(settings).map(([key, value]) => [environmentName(key), String(value)])),
    declaredConnections: connections,
    declaredSinks: sinks,
    declaredState: state
  }
})

const connectionsIn = ({ declaredConnections }: SettingsFile): DecodedConnections =>
  decodeConnections(declaredConnections, (name) => process.env[name])

/** The connections of a settings file, and what is wrong with it. */
export const readConnections = (path: string): Effect.Effect<DecodedConnections, SettingsError> =>
  Effect.map(readSettingsFile(path), connectionsIn)

/** Where the keys lie that state is encrypted with; undefined: it is not. */
export const readStateEncryption = Effect.fnUntraced(function* (
  path: string
): Effect.fn.Return<StateEncryption | undefined, SettingsError | ConnectionError> {
  const { declaredState } = yield* readSettingsFile(path)
  return yield* Effect.fromResult(decodeStateEncryption(declaredState))
})

/** The sinks of a settings file over its connections, and what is wrong with them. */
export const readSinks = (
  path: string,
  context: Omit<SinkContext, "connections">
): Effect.Effect<DecodedSinks, SettingsError> =>
  Effect.map(readSettingsFile(path), (file) =>
    decodeSinks(file.declaredSinks, { ...context, connections: connectionsIn(file) })
  )
