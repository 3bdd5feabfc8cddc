/** Files of tests run beside each other: a server of one must not be another's, which stops it when it is done. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"

const root = join(import.meta.dirname, "../..")

/** A broker takes the port behind its own as well; `port + 1` of other servers is theirs, too. */
const declared = /sharedKafka\((\d[\d_]*)|\bport = (\d[\d_]*)|(?:Server|ServerOnS3)\((\d[\d_]*)/g

const portsOf = (file: string): ReadonlySet<number> => {
  const found = [...readFileSync(join(root, file), "utf8").matchAll(declared)]
  return new Set(
    found.flatMap(([, ...ports]) => {
      const port = Number(ports.find((each) => each !== undefined)!.replaceAll("_", ""))
      return [port, port + 1]
    })
  )
}

it("each file of integration tests has servers on ports of its own", () => {
  const folders = ["packages", "apps"].flatMap((room) =>
    readdirSync(join(root, room)).map((name) => `${room}/${name}/test`)
  )
  const files = folders.flatMap((folder) =>
    existsSync(join(root, folder))
      ? readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
          .filter((name) => name.endsWith(".integration.test.ts"))
          .map((name) => `${folder}/${name}`)
      : []
  )
  const owners = new Map<number, string>()
  const shared: Array<string> = []
  for (const file of files)
    for (const port of portsOf(file)) {
      const owner = owners.get(port)
      if (owner !== undefined) shared.push(`${port}: ${owner} and ${file}`)
      owners.set(port, file)
    }
  assert.deepStrictEqual(shared, [])
  assert.isAbove(owners.size, 20, "the files are found")
})
