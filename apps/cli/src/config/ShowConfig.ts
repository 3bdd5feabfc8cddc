/** `frazil config show`. */
import {
  type Connection,
  type DeclaredSink,
  secretPlace,
  type StateEncryption,
  secretsOf,
  templateText
} from "@frazil/connect"
import { contracts, DeadLetters } from "@frazil/model"
import { readConnections, readSettingsFile, readSinks, readStateEncryption } from "@frazil/platform"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { printJson, printLines } from "../Output.ts"
import { textTable } from "../print/TextTable.ts"
import { configOptions } from "./ConfigOptions.ts"

const prefix = "FRAZIL_"
/** Of settings, only what this project names: the rest of the environment is nobody's business here. */
const fromEnvironment = () => Object.entries(process.env).filter(([name]) => name.startsWith(prefix))

/** A name that speaks of a secret shows none, wherever it was set. */
const hiddenName = /SECRET|TOKEN|PASSWORD|KEY/

const settingRows = (file: Readonly<Record<string, string>>) => {
  const rows = new Map<string, { name: string; value: string; from: string }>()
  for (const [name, value] of Object.entries(file)) rows.set(name, { name, value, from: "file" })
  for (const [name, value] of fromEnvironment()) rows.set(name, { name, value: value ?? "", from: "environment" })
  return [...rows.values()]
    .map((row) => (hiddenName.test(row.name) ? { ...row, value: "(hidden)" } : row))
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
}

const placeOf = (connection: Connection): string => {
  if (connection.kind === "duckdb") return connection.file
  if (connection.kind !== "s3") return connection.url
  const store = connection.url ?? `Amazon S3, ${connection.region ?? "us-east-1"}`
  return connection.bucket === undefined ? store : `${store}, bucket ${connection.bucket}`
}

const connectionRow = ([name, connection]: readonly [string, Connection]) => ({
  name,
  kind: connection.kind,
  at: placeOf(connection),
  tls: "tls" in connection ? (connection.tls ?? null) !== null : false,
  pool: "pool" in connection ? (connection.pool ?? null) : null,
  secrets: Object.fromEntries(
    secretsOf(connection).map(([field, source]) => [field, `(hidden) from ${secretPlace(source)}`])
  )
})

const formText = ({ form }: DeclaredSink): string => {
  switch (form.kind) {
    case "webhook":
      return "a call each record"
    case "postgres":
      return `table ${form.table}, a row each ${form.key.join(", ")}`
    case "redis":
      return form.features.map(({ key, value }) => `${value.name} under ${templateText(key)}`).join("; ")
  }
}

const sinkRow = (sink: DeclaredSink) => ({
  name: sink.name,
  kind: sink.form.kind,
  topic: sink.topic.name,
  connection: sink.connectionName,
  form: formText(sink)
})

const sinkTable = (rows: ReadonlyArray<ReturnType<typeof sinkRow>>) =>
  rows.length === 0
    ? []
    : [
        "",
        ...textTable<(typeof rows)[number]>(
          [
            { title: "SINK", text: (row) => row.name },
            { title: "KIND", text: (row) => row.kind },
            { title: "TOPIC", text: (row) => row.topic },
            { title: "CONNECTION", text: (row) => row.connection },
            { title: "AS", text: (row) => row.form }
          ],
          rows
        )
      ]

const stateRow = ({ key, older }: StateEncryption) => ({
  encryption: "AES-256-GCM",
  key: `(hidden) from ${secretPlace(key)}`,
  older: older.map((each) => `(hidden) from ${secretPlace(each)}`)
})

const stateLine = ({ encryption, key, older }: ReturnType<typeof stateRow>): string =>
  `state at rest: ${encryption}, key ${key}${older.length === 0 ? "" : `; older ${older.join(", ")}`}`

export const showConfig = Command.make(
  "show",
  configOptions,
  Effect.fnUntraced(function* (given) {
    const { settings } = yield* readSettingsFile(given.file)
    const { connections } = yield* readConnections(given.file)
    const rows = settingRows(settings)
    const connected = [...connections].map(connectionRow)
    const declared = yield* readSinks(given.file, { topics: contracts, deadLetterTopic: DeadLetters.name })
    const sinks = declared.sinks.map(sinkRow)
    const encryption = yield* readStateEncryption(given.file)
    const state = encryption === undefined ? null : stateRow(encryption)
    if (given.json) return yield* printJson({ settings: rows, connections: connected, sinks, state })
    return yield* printLines([
      ...textTable<(typeof rows)[number]>(
        [
          { title: "SETTING", text: (row) => row.name },
          { title: "VALUE", text: (row) => row.value },
          { title: "FROM", text: (row) => row.from }
        ],
        rows
      ),
      "",
      ...textTable<(typeof connected)[number]>(
        [
          { title: "CONNECTION", text: (row) => row.name },
          { title: "KIND", text: (row) => row.kind },
          { title: "AT", text: (row) => row.at },
          {
            title: "SECRETS",
            text: (row) =>
              Object.entries(row.secrets)
                .map(([field, place]) => `${field} ${place}`)
                .join("; ") || "-"
          }
        ],
        connected
      ),
      ...sinkTable(sinks),
      ...(state === null ? [] : ["", stateLine(state)])
    ])
  })
).pipe(Command.withDescription("Shows settings, connections and sinks, where they come from, and no secret"))
