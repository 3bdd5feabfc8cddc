/** Where and with what a benchmark ran: the header of its table. */
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { availableParallelism, cpus, release, totalmem, type } from "node:os"
import { DatabaseSync } from "node:sqlite"
import { DuckDBInstance } from "@duckdb/node-api"

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly os: string
  readonly bun: string
  readonly duckdb: string
  readonly sqlite: string
  /** With a mark when the tree differs from it. */
  readonly commit: string
  readonly date: string
}

const git = (...words: ReadonlyArray<string>): string => {
  const { status, stdout } = spawnSync("git", [...words], { cwd: import.meta.dirname, encoding: "utf8" })
  return status === 0 ? stdout.trim() : ""
}

const osName = (): string => {
  const file = "/etc/os-release"
  const pretty = existsSync(file) ? /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync(file, "utf8"))?.[1] : undefined
  return [pretty, `${type()} ${release()}`].filter((part) => part !== undefined).join(", ")
}

const duckDbVersion = async (): Promise<string> => {
  const instance = await DuckDBInstance.create(":memory:")
  const connection = await instance.connect()
  const [row] = (await connection.runAndReadAll("SELECT version()")).getRows()
  connection.closeSync()
  return String(row?.[0] ?? "unknown")
}

const sqliteVersion = (): string => {
  const database = new DatabaseSync(":memory:")
  const row = database.prepare("SELECT sqlite_version() AS version").get()
  database.close()
  return String(row?.["version"] ?? "unknown")
}

export const describeMachine = async (now: Date): Promise<Machine> => ({
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cores: availableParallelism(),
  memoryGb: Math.round(totalmem() / 2 ** 30),
  os: osName(),
  bun: process.versions["bun"] ?? "none",
  duckdb: await duckDbVersion(),
  sqlite: sqliteVersion(),
  commit: `${git("rev-parse", "--short", "HEAD") || "unknown"}${git("status", "--porcelain") === "" ? "" : " with changes"}`,
  date: `${now.toISOString().slice(0, 16).replace("T", " ")} UTC`
})

/** Two lines. */
export const machineText = (machine: Machine): string =>
  `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB; ${machine.os}
Bun ${machine.bun}, DuckDB ${machine.duckdb}, SQLite ${machine.sqlite}; commit ${machine.commit}, ${machine.date}`
