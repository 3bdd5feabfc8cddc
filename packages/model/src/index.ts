export { RawTransaction, RawTransactions } from "./RawTransaction.ts"
