/**
 * The options that every app takes, with their environment names and defaults.
 *
 * An option on the command line wins over the environment, that over `frazil.yaml`, that over the default.
 */
import { parseDuration } from "@frazil/core"
import { Config, Effect, type Option } from "effect"
import { CliError, Flag } from "effect/cli"
import { parseCatalogPlace, folderProblem } from "./CatalogPlace.ts"
import { parseLogPlace } from "./LogPlace.ts"

export const data = Flag.String("data").pipe(
  Flag.withDescription("Data directory: log, catalog, tables and checkpoints"),
  Flag.withMetavar("DIR"),
  Flag.withFallbackConfig(Config.String("FRAZIL_DATA")),
  Flag.withDefault("lakehouse/data")
)

export const log = Flag.String("log").pipe(
  Flag.withDescription("The log: embedded, in the data directory, or a Kafka cluster"),
  Flag.withMetavar("embedded|kafka://HOST:PORT[,HOST:PORT]"),
  Flag.withFallbackConfig(Config.String("FRAZIL_LOG")),
  Flag.withDefault("embedded"),
  Flag.mapEffect((given) => {
    const place = parseLogPlace(given)
    const expected = `"embedded", or kafka://HOST:PORT[,HOST:PORT]`
    return place === undefined
      ? Effect.fail(new CliError.InvalidValue({ option: "log", value: given, expected, kind: "flag" }))
      : Effect.succeed(place)
  })
)

export const catalog = Flag.String("catalog").pipe(
  Flag.withDescription("The Iceberg catalog: sqlite, in the data directory, or a server of the REST protocol"),
  Flag.withMetavar("sqlite|http://HOST:PORT[/path]"),
  Flag.withFallbackConfig(Config.String("FRAZIL_CATALOG")),
  Flag.withDefault("sqlite"),
  Flag.mapEffect((given) => {
    const place = parseCatalogPlace(given)
    const expected = `"sqlite", or http(s)://HOST[:PORT][/path] without a user`
    return place === undefined
      ? Effect.fail(new CliError.InvalidValue({ option: "catalog", value: given, expected, kind: "flag" }))
      : Effect.succeed(place)
  })
)

/** A root that is in the data directory unless it is said. */
const elsewhere = (option: string, environment: string, what: string) =>
  Flag.String(option).pipe(
    Flag.withDescription(`Where ${what} are kept, when not in the data directory: a folder, or a prefix on S3`),
    Flag.withMetavar("DIR|s3://BUCKET/PREFIX"),
    Flag.withFallbackConfig(Config.String(environment)),
    Flag.mapEffect((given) => {
      const expected = folderProblem(given)
      return expected === undefined
        ? Effect.succeed(given)
        : Effect.fail(new CliError.InvalidValue({ option, value: given, expected, kind: "flag" }))
    }),
    Flag.optional
  )

export const warehouse = elsewhere("warehouse", "FRAZIL_WAREHOUSE", "tables")

export const checkpoints = elsewhere("checkpoints", "FRAZIL_CHECKPOINTS", "snapshots of state")

/** Where the gateway listens, on the loopback address. */
export const port = Flag.Int("port").pipe(
  Flag.withDescription("Port of the gateway on 127.0.0.1; 0 takes any free one"),
  Flag.withMetavar("N"),
  Flag.withFallbackConfig(Config.Int("FRAZIL_PORT")),
  Flag.withDefault(8080),
  Flag.mapEffect((given) =>
    given >= 0 && given <= 65_535
      ? Effect.succeed(given)
      : Effect.fail(
          new CliError.InvalidValue({
            option: "port",
            value: String(given),
            expected: "a port from 0 to 65535",
            kind: "flag"
          })
        )
  )
)

export const json = Flag.Boolean("json").pipe(
  Flag.withDescription("Print for programs: JSON on stdout"),
  Flag.withDefault(false)
)

export const verbose = Flag.Boolean("verbose").pipe(
  Flag.withDescription("Print the stack of an error"),
  Flag.withDefault(false)
)

/** The flags of where a system keeps what it has. */
export const location = { data, log, catalog, warehouse, checkpoints }

/** A flag that takes `500ms`, `30s`, `5m`, `2h`, `3d`, in milliseconds. */
export const duration = (name: string, environment: string): Flag.Flag<Option.Option<number>> =>
  Flag.String(name).pipe(
    Flag.withMetavar("500ms|30s|5m|2h"),
    Flag.withFallbackConfig(Config.String(environment)),
    Flag.mapEffect((text) => {
      const ms = parseDuration(text)
      return ms === undefined
        ? Effect.fail(
            new CliError.InvalidValue({
              option: name,
              value: text,
              expected: "a duration such as 500ms, 30s, 5m, 2h or 3d",
              kind: "flag"
            })
          )
        : Effect.succeed(ms)
    }),
    Flag.optional
  )
