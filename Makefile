# A thin front to meson and ninja. `make` builds build/perigee.
BUILD := build/release

.PHONY: all
all:
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) . >/dev/null
	@ninja -C $(BUILD)
	@for p in perigee perigee-lab; do test ! -x $(BUILD)/src/$$p || ln -sf release/src/$$p build/$$p; done
