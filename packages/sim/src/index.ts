export {
  fraudShareDefault,
  fraudShareMax,
  makeTransactions,
  type GeneratedTransaction,
  type TransactionGenerator,
  type TransactionOptions
} from "./generate/Transactions.ts"
export { fraudLabels, type FraudLabel } from "./generate/Fraud.ts"
