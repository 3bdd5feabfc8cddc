/** A machine that tables are said to be of. */
import type { Machine } from "../../src/support/Machine.ts"

export const someMachine: Machine = {
  cpu: "c",
  cores: 2,
  memoryGb: 4,
  os: "o",
  bun: "1",
  duckdb: "1",
  sqlite: "3",
  commit: "x",
  date: "d"
}
