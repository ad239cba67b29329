// Package audit measures an extractor from the outside: the condition numbers of both tasks under both protocols, the relative
// immunization ratio, the ceiling of the pair of tasks, and whether the extractor is immunized in the sense of Definition 3.1. It is
// one pure function, [Measure], whatever trained the extractor and in whatever framework.
//
// Definition and equation numbers are those of Zheng, Bai, Bullins, Yeh, "Model Immunization from a Condition Number Perspective",
// ICML 2025, arXiv:2505.23760, called the paper.
//
// The package trains nothing, attacks nothing (how slow an attack becomes is measured by package probe) and reads no files.
package audit
