/**
 * The repository as tidy sees it: its packages, its parsed sources and its other texts.
 *
 * Made from disk by `loadWorkspace`, or from a few texts by tests. Nothing else in tidy does I/O.
 */
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join, posix } from "node:path"
import { parseSource, type SourceFile } from "./SourceFile.ts"

/** Which part of a package a file belongs to. */
export type Part = "src" | "test" | "other"

export interface Package {
  /** `@frazil/core` */
  readonly name: string
  /** `packages/core` */
  readonly folder: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  /** Export subpath (`.`, `./x`) → file. */
  readonly entries: ReadonlyMap<string, string>
}

export interface Workspace {
  /** Name and versions of the root's own dependencies, which tests and tools may use. */
  readonly root: Package
  readonly packages: ReadonlyArray<Package>
  readonly sources: ReadonlyMap<string, SourceFile>
  /** Every text file, sources included. */
  readonly texts: ReadonlyMap<string, string>
  /** Every file and folder there is, texts or not. */
  readonly paths: ReadonlySet<string>
}

const textEndings = /\.(ts|md|json|ya?ml|toml|sh|sql|ndjson|csv)$|^\.ci\/run$/
const notOurs = /(^|\/)(bun\.lock|node_modules\/)/
const textBytesMax = 1_000_000

interface Manifest {
  readonly name?: string
  readonly main?: string
  readonly exports?: string | Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

const packageOf = (folder: string, text: string): Package => {
  const manifest = JSON.parse(text) as Manifest // package.json has this shape, or bun install fails first
  const entries = new Map<string, string>()
  const exported = typeof manifest.exports === "string" ? { ".": manifest.exports } : (manifest.exports ?? {})
  for (const [name, file] of Object.entries(exported)) entries.set(name, posix.join(folder, file))
  if (manifest.main !== undefined) entries.set(".", posix.join(folder, manifest.main))
  return {
    name: manifest.name ?? folder,
    folder,
    dependencies: manifest.dependencies ?? {},
    devDependencies: manifest.devDependencies ?? {},
    entries
  }
}

/** Builds a workspace from texts by path; `otherPaths` are files that exist but are not text. */
export const workspaceOf = (
  files: Readonly<Record<string, string>>,
  otherPaths: ReadonlyArray<string> = []
): Workspace => {
  const texts = new Map(Object.entries(files))
  const paths = new Set<string>()
  for (const path of [...texts.keys(), ...otherPaths]) {
    for (let each = path; each !== "." && each !== "/"; each = posix.dirname(each)) paths.add(each)
  }
  const manifests = [...texts].filter(([path]) => posix.basename(path) === "package.json")
  const packages = manifests
    .filter(([path]) => path !== "package.json" && path.split("/").length <= 3)
    .map(([path, text]) => packageOf(posix.dirname(path), text))
  const sources = new Map<string, SourceFile>()
  for (const [path, text] of texts) if (path.endsWith(".ts")) sources.set(path, parseSource(path, text))
  return { root: packageOf(".", texts.get("package.json") ?? "{}"), packages, sources, texts, paths }
}

/** Reads what git tracks, or would track, below `root`. */
export const loadWorkspace = (root: string): Workspace => {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64_000_000
  })
  const files: Record<string, string> = {}
  const others: Array<string> = []
  for (const path of new Set(listed.split("\0"))) {
    const full = join(root, path)
    if (path === "" || notOurs.test(path) || !existsSync(full)) continue
    const text = textEndings.test(path) ? readFileSync(full, "utf8") : undefined
    if (text === undefined || text.length > textBytesMax) others.push(path)
    else files[path] = text
  }
  return workspaceOf(files, others)
}

/** The package whose folder holds `path`; undefined at the root. */
export const packageAt = (workspace: Workspace, path: string): Package | undefined =>
  workspace.packages.find((each) => path.startsWith(`${each.folder}/`))

export const partOf = (owner: Package, path: string): Part => {
  const inside = path.slice(owner.folder.length + 1)
  return inside.startsWith("src/") ? "src" : inside.startsWith("test/") ? "test" : "other"
}

/** `effect/unstable/x` → `effect`, `@frazil/core/y` → `@frazil/core`. */
export const packageNameOf = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/")

/** The file a specifier means, when it is one of ours. */
export const resolveImport = (workspace: Workspace, from: string, specifier: string): string | undefined => {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(from), specifier)
  const name = packageNameOf(specifier)
  const target = workspace.packages.find((each) => each.name === name)
  return target?.entries.get(`.${specifier.slice(name.length)}`)
}
