// Package lmsr prices trades by the logarithmic market scoring rule, exactly: the same rule as
// pgtape's SQL, worked out a second time so that each can convict the other.
//
//	C(q) = m + b ln Σ exp((q_i - m)/b)   for any m        price_i = exp((q_i - m)/b) / Σ
//
// A Maker holds the shares outstanding of one market and gives, for each trade, the charge in
// micro-units and the prices in pico-units, as whole numbers. There are two ways to a number:
//
//	double.go, maker.go   double-double arithmetic with a proven bound on its error. It decides
//	                      whenever the bound leaves one answer: but for about one trade in 10^13
//	                      of any ordinary market.
//	exact.go              decimal arithmetic with 64 digits, for the rest.
//
// Rounding never pays a trader: a buyer is charged the ceiling, a seller gets the floor. The true
// amount is a whole number of micro-units only if the trade moves all outcomes by the same amount,
// up to their order (Lindemann-Weierstrass); then it is that amount. Any other true amount is
// irrational and has one ceiling; where it lies so close to a whole number that 40 digits do not
// tell on which side, it counts against the trader.
package lmsr
