# A thin front to meson, ninja and tests/run. `make` builds build/perigee; `make help` says the rest.
SHELL := /bin/bash
MESON := /usr/bin/meson
NINJA := /usr/bin/ninja
PYTHON := /usr/bin/python3
B := build/release

.PHONY: all
all: $(B)/build.ninja
	@$(NINJA) -C $(B)
	@for p in perigee perigee-lab; do test ! -x $(B)/src/$$p || ln -sfn release/src/$$p build/$$p; done

$(B)/build.ninja:
	@tools/packages --check
	@$(MESON) setup $(B) . -Dtests=false >/dev/null

.PHONY: help
help:
	@sed -n 's/^#: //p' $(MAKEFILE_LIST)

#: make                  build build/perigee and build/perigee-lab
#: make packages         install the Debian packages that building and testing need
#: make peers            make the root with the peers (BIRD, Knot, ...) in build/peers
.PHONY: packages peers
packages:
	@tools/packages
peers: packages
	@tools/peers

#: make test [T=…]       all set-up and every test; T: only those with this text in their name
#: make test-all [T=…]   the same and what takes longer
#: make unit [T=…]       only the unit tests, from the normal build
.PHONY: test test-all unit
test:
	@$(PYTHON) tests/run $(if $(T),-t '$(T)')
test-all:
	@$(PYTHON) tests/run --all $(if $(T),-t '$(T)')
unit:
	@$(PYTHON) tests/run --quick -t 'unit/$(T)'

#: make demo             the show: anycast at work in an internet of namespaces, and what breaks it;
#:                       BREAK=withdraw|nsid|hang|unicast sabotages one part, KEEP=1 ends with a prompt
.PHONY: demo
demo: packages all
	@tools/peers
	@build/perigee-lab demo --dir build/demo $(if $(BREAK),--break $(BREAK)) $(if $(KEEP),--keep)

#: make bench-failover   queries lost in every kind of failure, RUNS of each (20), ONLY=text;
#:                       BESIDE=N: also N runs of Knot DNS with ExaBGP's healthcheck
#: make bench-sockets    answers per second from sockets, beside Knot DNS and NSD
#: make bench-answer     what one answer costs without sockets
.PHONY: bench-failover bench-sockets bench-answer
bench-failover: packages all
	@tools/peers
	@build/perigee-lab bench-failover --dir build/bench/failover --json build/bench/failover.json \
	    $(if $(RUNS),--runs $(RUNS)) $(if $(BESIDE),--beside $(BESIDE)) $(if $(ONLY),--only '$(ONLY)')
bench-sockets: packages all
	@tools/peers
	@bench/sockets
bench-answer: all
	@$(B)/bench/bench-answer

#: make asan [T=…]       unit tests and fuzz inputs under the address and undefined behaviour sanitizers
#: make tsan [T=…]       unit tests under the thread sanitizer
.PHONY: asan tsan
asan tsan:
	@$(PYTHON) tests/run --quick --build $@ $(if $(T),-t '$(T)')

#: make fuzz [T=…] [S=…] search with libFuzzer, S seconds per target (60); findings in build/found
.PHONY: fuzz
fuzz:
	@$(PYTHON) tests/run --quick --build fuzz --fuzz-seconds $(or $(S),60) -t 'fuzz/$(T)'

#: make format           lay out the C code with clang-format
#: make tidy             read the C code with clang-tidy
.PHONY: format tidy
format:
	@git ls-files --cached --others --exclude-standard '*.c' '*.h' | xargs -r clang-format-14 -i
tidy:
	@tests/house/tidy

#: make bench-spike-image the zone image beside LMDB: the figures of decision 0001
#: make bench-spike-table the kernel table, three kinds of maps: the figures of decision 0002
.PHONY: bench-spike-image bench-spike-table
bench-spike-image bench-spike-table: bench-spike-%: packages all
	@$(NINJA) -C $(B) bench/spikes/spike-$* >/dev/null
	@$(B)/bench/spikes/spike-$*

#: make clean            remove all builds; the peers stay
#: make distclean        remove build/ whole
.PHONY: clean distclean
clean:
	@rm -rf build/release build/test build/asan build/tsan build/fuzz build/faults build/refbench build/logs build/perigee build/perigee-lab
distclean:
	@rm -rf --one-file-system build
