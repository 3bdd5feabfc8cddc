/**
 * A job runs once in a data directory, whatever ended the run before.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readdirSync, writeFileSync } from "node:fs"
import { holdJobLock, jobRunning } from "../../src/embedded/JobLock.ts"
import { runChild } from "./ChildProcess.ts"
import { temporaryFolder } from "./TemporaryFolder.ts"

const takeOnce = (job: string, dataDirectory: string) => Effect.scoped(holdJobLock({ job, dataDirectory }))

describe("JobLock", () => {
  it.live("another process is refused while a job runs, and let in once it was killed with -9", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const child = yield* runChild("./LockProcess.ts", folder, "transactions")
      yield* child.line((line) => line === "held")
      const error = yield* Effect.flip(takeOnce("transactions", folder))
      assert.strictEqual(error._tag, "JobAlreadyRunning")
      assert.include(error.message, "job transactions is already running")
      assert.include(error.message, folder)
      assert.notInclude(error.message, "\n")
      // another job, and the same job elsewhere, are free
      yield* takeOnce("lending", folder)
      yield* takeOnce("transactions", `${folder}/elsewhere`)
      child.kill("SIGKILL")
      yield* child.exit
      assert.deepStrictEqual(readdirSync(`${folder}/locks`).toSorted(), ["lending.lock", "transactions.lock"])
      yield* takeOnce("transactions", folder)
    })
  )

  it.live("the same process is refused too, until the lock's scope ends", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* holdJobLock({ job: "a/../b", dataDirectory: folder })
          assert.strictEqual((yield* Effect.flip(takeOnce("a/../b", folder)))._tag, "JobAlreadyRunning")
        })
      )
      yield* takeOnce("a/../b", folder)
    })
  )

  it.live("looking says whether a job runs, in this process or another, and makes no file", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const running = jobRunning({ job: "transactions", dataDirectory: folder })
      assert.isFalse(yield* running)
      assert.isFalse(existsSync(`${folder}/locks`))
      const child = yield* runChild("./LockProcess.ts", folder, "transactions")
      yield* child.line((line) => line === "held")
      assert.isTrue(yield* running)
      child.kill("SIGKILL")
      yield* child.exit
      assert.isFalse(yield* running)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* holdJobLock({ job: "transactions", dataDirectory: folder })
          assert.isTrue(yield* running)
        })
      )
      assert.isFalse(yield* running)
    })
  )

  it.live("a directory that cannot be written is said to be so", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      writeFileSync(`${folder}/file`, "")
      const error = yield* Effect.flip(takeOnce("job", `${folder}/file`))
      assert.strictEqual(error._tag, "LogError")
      assert.include(error.message, `${folder}/file`)
    })
  )
})
