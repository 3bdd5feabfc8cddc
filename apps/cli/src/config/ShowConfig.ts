/** `frazil config show`. */
import { type Connection, secretPlace, secretsOf } from "@frazil/connect"
import { readConnections, readSettingsFile } from "@frazil/platform"
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

const connectionRow = ([name, connection]: readonly [string, Connection]) => ({
  name,
  kind: connection.kind,
  at: connection.kind === "duckdb" ? connection.file : connection.url,
  tls: "tls" in connection ? (connection.tls ?? null) !== null : false,
  pool: "pool" in connection ? (connection.pool ?? null) : null,
  secrets: Object.fromEntries(
    secretsOf(connection).map(([field, source]) => [field, `(hidden) from ${secretPlace(source)}`])
  )
})

export const showConfig = Command.make(
  "show",
  configOptions,
  Effect.fnUntraced(function* (given) {
    const { settings } = yield* readSettingsFile(given.file)
    const { connections } = yield* readConnections(given.file)
    const rows = settingRows(settings)
    const connected = [...connections].map(connectionRow)
    if (given.json) return yield* printJson({ settings: rows, connections: connected })
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
      )
    ])
  })
).pipe(Command.withDescription("Shows settings and connections, where they come from, and no secret"))
