/**
 * Builds programs: each with what it imports in one file, beside it Bun's bytecode of that, which is loaded in a third of the
 * time of hundreds of modules.
 *
 * `bun run build` calls it, and `bun install` at its end; benchmarks call it before they measure. A build does what its sources
 * do: modules keep their own paths (`import.meta`), so whatever they start beside themselves starts from its source, or from
 * a build of its own. Packages that bring native or dynamic code are left where they are installed. Bytecode is of CommonJS,
 * which awaits nothing while it is loaded: a program's entry gives what it would wait for, as `running`.
 * **Bounds**: the last `buildsKept` builds of a program; a process that is about to load one still finds it.
 */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { dirname, join, relative, sep } from "node:path"
import { buildFolder, type BuildRecord, currentBuild, lockName, recordName, rootOf, stampOf } from "./BuiltProgram.ts"

/** What is used of Bun's own API: other runtimes have none, and build nothing. */
interface Bundler {
  readonly build: (options: {
    readonly entrypoints: ReadonlyArray<string>
    readonly outdir: string
    readonly target: "bun"
    readonly format: "cjs"
    readonly bytecode: boolean
    readonly define: Readonly<Record<string, string>>
    readonly plugins: ReadonlyArray<{ readonly name: string; readonly setup: (build: PluginBuild) => void }>
  }) => Promise<{ readonly outputs: ReadonlyArray<{ readonly path: string; readonly kind: string }> }>
  readonly resolveSync: (specifier: string, from: string) => string
}

interface PluginBuild {
  readonly onResolve: (
    options: { readonly filter: RegExp },
    resolve: (asked: { readonly path: string; readonly importer: string }) => Resolved | undefined
  ) => void
  readonly onLoad: (
    options: { readonly filter: RegExp },
    load: (asked: { readonly path: string }) => { readonly contents: string; readonly loader: "js" | "ts" } | undefined
  ) => void
}

interface Resolved {
  readonly path: string
  readonly external: boolean
}

/** Packages that are built in: plain modules that every program has. */
const builtIn = /^(@frazil\/|effect$|effect\/|@effect\/|@marcbachmann\/cel-js$|yaml$)/
const bare = /^[^./]/
const ofRuntime = /^(node|bun):/

const buildsKept = 3

type Stamp = readonly [size: number, mtimeMs: number]

const stamped = (path: string): Stamp => {
  const stamp = stampOf(path)
  if (stamp === undefined) throw new Error(`${path} is not there`)
  return stamp
}

/** A module's own path, as it is when its source runs. */
const ownPaths = (text: string, path: string): string =>
  text
    .replaceAll("import.meta.url", JSON.stringify(`file://${path}`))
    .replaceAll("import.meta.dirname", JSON.stringify(dirname(path)))
    .replaceAll("import.meta.filename", JSON.stringify(path))

/** What stands for `import.meta` where a package asks for it: nothing, which is as on a runtime that lacks what is asked for. */
const noMeta = "globalThis.frazilNoMeta"
const needsMeta = /globalThis\.frazilNoMeta(?!\?\.)|\bimport\.meta\b/

/** The one thing that an entry's module waits for. */
const awaited = /^await (?=start(?:App|Program)\()/m

/** What waits for the end of the program gets it: `Start.ts`. */
const givenToWait = (text: string, path: string): string => {
  if (!awaited.test(text)) throw new Error(`${path} does not begin with startApp or startProgram`)
  return text.replace(awaited, "export const running = ")
}

/** `sources` is told of each, stamped before it is read: one that changes meanwhile makes the build stale. */
const pluginOf = (bundler: Bundler, root: string, program: string, sources: Map<string, Stamp>) => ({
  name: "frazil",
  setup: (build: PluginBuild) => {
    build.onResolve({ filter: bare }, ({ importer, path }) =>
      builtIn.test(path) || ofRuntime.test(path)
        ? undefined
        : { path: bundler.resolveSync(path, dirname(importer)), external: true }
    )
    build.onLoad({ filter: /\.m?js$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8")
      return text.includes("import.meta")
        ? { contents: ownPaths(text, path).replaceAll(/\bimport\.meta\b/g, noMeta), loader: "js" }
        : undefined
    })
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      if (!path.startsWith(root + sep) || path.includes(`${sep}node_modules${sep}`)) return undefined
      sources.set(path, stamped(path))
      const source = readFileSync(path, "utf8")
      const text = path === program ? givenToWait(source, path) : source
      return text.includes("import.meta.") || path === program
        ? { contents: ownPaths(text, path), loader: "ts" }
        : undefined
    })
  }
})

const forgetOld = (folder: string): void => {
  const builds = readdirSync(folder, { withFileTypes: true })
    .filter((each) => each.isDirectory())
    .map(({ name }) => ({ name, at: statSync(join(folder, name)).mtimeMs }))
    .toSorted((left, right) => right.at - left.at)
  for (const { name } of builds.slice(buildsKept)) rmSync(join(folder, name), { recursive: true, force: true })
}

const buildOne = async (bundler: Bundler, program: string): Promise<void> => {
  const root = rootOf(program)
  if (root === undefined) throw new Error(`${program} lies in no folder that has a ${lockName}`)
  const folder = buildFolder(root, program)
  mkdirSync(folder, { recursive: true })
  const outdir = mkdtempSync(join(folder, "build-"))
  // whoever may read the sources runs it
  chmodSync(outdir, 0o755)
  const lock = join(root, lockName)
  const sources = new Map([[lock, stamped(lock)]])
  const { outputs } = await bundler.build({
    entrypoints: [program],
    outdir,
    target: "bun",
    format: "cjs",
    bytecode: true,
    define: { FRAZIL_BUILT: "true" },
    plugins: [pluginOf(bundler, root, program, sources)]
  })
  const entry = outputs.find(({ kind }) => kind === "entry-point")
  if (entry === undefined) throw new Error(`the build of ${program} has no entry`)
  if (needsMeta.test(readFileSync(entry.path, "utf8"))) {
    throw new Error(`a module that ${program} imports asks import.meta for what a build does not have`)
  }
  const record: BuildRecord = {
    runtime: process.versions["bun"] ?? "",
    entry: relative(folder, entry.path),
    sources: [...sources].map(([path, stamp]) => [relative(root, path), ...stamp])
  }
  // in force from here on: a name is given to a whole file
  const written = join(outdir, recordName)
  writeFileSync(written, JSON.stringify(record))
  renameSync(written, join(folder, recordName))
  forgetOld(folder)
}

/** Builds those of the programs that have no current build; which ones. Nothing on a runtime without a bundler. */
export const buildPrograms = async (programs: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const { Bun: bundler } = globalThis as { readonly Bun?: Bundler }
  if (bundler === undefined) return []
  const missing = programs.filter((program) => currentBuild(program) === undefined)
  for (const program of missing) await buildOne(bundler, program)
  return missing
}
