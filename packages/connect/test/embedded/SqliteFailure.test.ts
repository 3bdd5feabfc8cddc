/**
 * SQLite's failures have one meaning on every runtime, with codes or with words alone.
 */
import { assert, describe, it } from "@effect/vitest"
import { LogError } from "@frazil/engine"
import { lockedByAnother, toLogError } from "../../src/embedded/SqliteFailure.ts"

const failures: ReadonlyArray<readonly [errcode: number, message: string, reason: LogError["reason"]]> = [
  [5, "database is locked", "Unavailable"],
  [6, "database table is locked", "Unavailable"],
  [8, "attempt to write a readonly database", "Unavailable"],
  [10, "disk I/O error", "Unavailable"],
  [11, "database disk image is malformed", "Corrupt"],
  [13, "database or disk is full", "Full"],
  [14, "unable to open database file: /data/log.db", "Unavailable"],
  [26, "file is not a database", "Corrupt"]
]

const thrown = (message: string, more: object): Error =>
  Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR" }, more)

describe("SqliteFailure", () => {
  it("means the same by its code and by its words", () => {
    for (const [errcode, message, reason] of failures) {
      for (const cause of [thrown("any words", { errcode }), thrown(message, {})]) {
        const error = toLogError(cause, "/data/log.db")
        assert.strictEqual(error?.reason, reason, message)
        assert.include(error?.message, "/data/log.db")
        assert.strictEqual(lockedByAnother(cause), errcode === 5 || errcode === 6)
      }
    }
  })

  it("reads extended codes: a file that ends too early is Corrupt, other disk failures are not", () => {
    assert.strictEqual(toLogError(thrown("", { errcode: 522 }), "f")?.reason, "Corrupt")
    assert.strictEqual(toLogError(thrown("", { errcode: 1546 }), "f")?.reason, "Unavailable")
  })

  it("leaves bugs what they are", () => {
    const ours = new LogError({ reason: "Fenced", message: "m" })
    assert.strictEqual(toLogError(ours, "f"), ours)
    const bugs = [
      thrown("near selec: syntax error", { errcode: 1 }),
      thrown("words", {}),
      new Error("database is locked"),
      null
    ]
    for (const bug of bugs) assert.isUndefined(toLogError(bug, "f"))
  })
})
