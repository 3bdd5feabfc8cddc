/**
 * `frazil.yaml`: the same settings as options and environment, for what stays the same.
 *
 * `data: ./d` is `FRAZIL_DATA=./d`; the environment wins over the file and options win over both.
 */
import { readFile } from "node:fs/promises"
import { Effect, Schema } from "effect"

class SettingsError extends Schema.TaggedError<SettingsError>()("SettingsError", {
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

const Settings = Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite, Schema.Boolean]))

const environmentName = (key: string) => `FRAZIL_${key.replaceAll("-", "_").toUpperCase()}`

/** The file's settings under their environment names; empty when there is no file. */
export const settingsFile = Effect.fnUntraced(function* (path: string) {
  const text = yield* Effect.promise(() => readFile(path, "utf8").catch(() => undefined))
  if (text === undefined) return {}
  const invalid = (cause: unknown) =>
    new SettingsError({ message: `${path} cannot be read: it must hold lines such as "data: ./data"`, cause })
  // read only when there is a file: most runs have none
  const { parse } = yield* Effect.promise(() => import("yaml"))
  const document = yield* Effect.try({ try: (): unknown => parse(text) ?? {}, catch: invalid })
  const settings = yield* Effect.mapError(Schema.decodeUnknownEffect(Settings)(document), invalid)
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [environmentName(key), String(value)]))
})
