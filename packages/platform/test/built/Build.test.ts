/** Programs run from their build while it is what their sources say, and from these else; either way they do the same. */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { buildPrograms } from "../../src/built/Build.ts"
import { buildFolder, currentBuild } from "../../src/built/BuiltProgram.ts"

const start = join(import.meta.dirname, "../../src/Start.ts")

const program = `import { startProgram } from ${JSON.stringify(start)}
await startProgram(import.meta.url, async () => {
  const { built, said } = await import("./deeper/Said.ts")
  return () => process.stdout.write(JSON.stringify({ built, said, words: process.argv.slice(2) }))
})
`

const said = (word: string) => `import { part } from "./Part.ts"
declare const FRAZIL_BUILT: true | undefined
export const built = typeof FRAZIL_BUILT !== "undefined"
export const said = [${JSON.stringify(word)}, part, import.meta.dirname, import.meta.filename, import.meta.url]
`

/** A repository with one program. */
const makeProgram = () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "frazil-build-")))
  mkdirSync(join(root, "deeper"))
  const file = (name: string, text: string) => writeFileSync(join(root, name), text)
  file("bun.lock", "{}")
  file("main.ts", program)
  file("deeper/Said.ts", said("one"))
  file("deeper/Part.ts", `export const part: number = 7\n`)
  return { root, file, main: join(root, "main.ts") }
}

interface Told {
  readonly built: boolean
  readonly said: ReadonlyArray<unknown>
  readonly words: ReadonlyArray<string>
}

const run = (main: string): Told => {
  const child = spawnSync(process.execPath, [main, "a word"], { encoding: "utf8" })
  assert.strictEqual(child.stderr, "")
  return JSON.parse(child.stdout) as Told // what the program prints
}

const withProgram = async (use: (given: ReturnType<typeof makeProgram>) => Promise<void>) => {
  const given = makeProgram()
  try {
    await use(given)
  } finally {
    rmSync(given.root, { recursive: true, force: true })
  }
}

describe("a program's build", () => {
  it("does what the sources do, and is not made again while they are as they were", () =>
    withProgram(async ({ main }) => {
      const source = run(main)
      assert.isFalse(source.built)
      assert.deepStrictEqual(source.words, ["a word"])
      assert.deepStrictEqual(await buildPrograms([main]), [main])
      assert.deepStrictEqual(run(main), { ...source, built: true })
      assert.deepStrictEqual(await buildPrograms([main]), [])
    }))

  it("is left aside when a source, the packages or the runtime are others", () =>
    withProgram(async ({ file, main, root }) => {
      await buildPrograms([main])
      file("deeper/Said.ts", said("two"))
      assert.deepInclude(run(main), { built: false })
      assert.strictEqual(run(main).said[0], "two")
      await buildPrograms([main])
      assert.isDefined(currentBuild(main))
      const record = join(buildFolder(root, main), "current.json")
      const text = readFileSync(record, "utf8")
      const changes: ReadonlyArray<() => void> = [
        () => file("bun.lock", `{"other": 1}`),
        () => writeFileSync(record, text.replace(process.versions["bun"] ?? "", "0.0.1")),
        () => writeFileSync(record, text.slice(0, text.length / 2)),
        () => writeFileSync(record, "[]"),
        () => rmSync(record)
      ]
      for (const change of changes) {
        change()
        assert.isUndefined(currentBuild(main))
        await buildPrograms([main])
        assert.isDefined(currentBuild(main))
      }
      rmSync(join(root, "deeper/Part.ts"))
      assert.isUndefined(currentBuild(main))
    }))

  it("fails as the sources do", () =>
    withProgram(async ({ file, main }) => {
      file("main.ts", program.replace("process.stdout.write(", "Promise.reject(new Error('at last'), "))
      const ended = () => spawnSync(process.execPath, [main], { encoding: "utf8" })
      const source = ended()
      await buildPrograms([main])
      assert.isDefined(currentBuild(main))
      const build = ended()
      for (const { status, stderr } of [source, build]) {
        assert.strictEqual(status, 1)
        assert.include(stderr, "at last")
      }
    }))

  it("is not made where a module asks for what a build does not have", () =>
    withProgram(async ({ file, main }) => {
      file("deeper/Part.ts", "export const part = import.meta.resolve === undefined ? 1 : 7\n")
      const failure = await buildPrograms([main]).then(
        () => "",
        (error: unknown) => String(error)
      )
      assert.include(failure, "import.meta")
      assert.isUndefined(currentBuild(main))
      assert.isFalse(run(main).built)
    }))

  it("stays for processes that began with it, and the older ones go", () =>
    withProgram(async ({ file, main, root }) => {
      await buildPrograms([main])
      const first = currentBuild(main)
      for (const word of ["two", "three", "four", "five"]) {
        file("deeper/Said.ts", said(word))
        await buildPrograms([main])
        assert.notStrictEqual(currentBuild(main), first)
      }
      const builds = readdirSync(buildFolder(root, main), { withFileTypes: true }).filter((each) => each.isDirectory())
      assert.strictEqual(builds.length, 3)
      assert.strictEqual(run(main).said[0], "five")
    }))
})
