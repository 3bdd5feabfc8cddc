/** Mistakes in who does what: shares of works among instances and threads, and what of them has ended. `ShareHunter` notices each. */
import type { Mutant } from "./Mutants.ts"

const shareOut = "packages/engine/src/instances/ShareOut.ts"
const ends = "packages/engine/src/instances/Ends.ts"

const mistakes: ReadonlyArray<Omit<Mutant, "rule" | "hunter">> = [
  {
    name: "of two that claim a work the older one is right",
    file: shareOut,
    find: "left.generation - right.generation",
    replace: "right.generation - left.generation"
  },
  {
    name: "one has more of a stage than its share",
    file: shareOut,
    find: "caps.set(owner!, room - 1)",
    replace: ""
  },
  {
    name: "works that their owner has no room for are nobody's",
    file: shareOut,
    find: "if (room === 0) left.push(work)",
    replace: "if (room === 0 && owner !== undefined) continue\n      if (room === 0) left.push(work)"
  },
  {
    name: "nobody keeps what it had",
    file: shareOut,
    find: "for (const work of owned) owners.set(work, id)",
    replace: "for (const work of owned) owners.set(work, `${id} `)"
  },
  {
    name: "works have ended when one of them has",
    file: ends,
    find: "works.every((work) => all.has(work))",
    replace: "works.some((work) => all.has(work))"
  },
  {
    name: "of works that ended together one is known",
    file: ends,
    find: "for (const work of works) all.add(work)",
    replace: "for (const work of works.slice(0, 1)) all.add(work)"
  }
]

export const sharingMutants: ReadonlyArray<Mutant> = mistakes.map((mistake) => ({
  rule: "sharing",
  hunter: "sharing",
  ...mistake
}))
