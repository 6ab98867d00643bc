# Kiln. Two commands are all a newcomer needs: `make demo` and `make check`. `make help` has more.
#
# Sources are found by wildcard: a new file or folder needs no line here. Variants live side by
# side: DEBUG=1 in build/debug, SAN=1 (ASan and UBSan) in build/asan, BUILD=DIR anywhere.

MAKEFLAGS += --no-builtin-rules --no-builtin-variables
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all
SHELL := /bin/bash
export LC_ALL := C

VERSION    := $(shell cat VERSION)
PREFIX     ?= /usr/local
DESTDIR    ?=
JOBS       ?= $(shell nproc 2>/dev/null || echo 2)
CC         := $(if $(filter default undefined,$(origin CC)),gcc,$(CC))
AR         := $(if $(filter default undefined,$(origin AR)),ar,$(AR))
PKG_CONFIG ?= pkg-config
PROTOC_C   ?= protoc-c
CLANG      ?= clang-19
FUZZ_SECONDS ?= 10
SOAK_SECONDS ?= 600
WERROR     ?= 1

ifdef SAN
BUILD ?= build/asan
else ifdef DEBUG
BUILD ?= build/debug
else
BUILD ?= build
endif
GEN := $(BUILD)/gen

# ---- libraries ------------------------------------------------------------------------------
# module:Debian package. Goals that install or need none of them do not look.
MODULES := yaml-0.1:libyaml-dev libarchive:libarchive-dev libcurl:libcurl4-openssl-dev \
	libcrypto:libssl-dev lua5.4:liblua5.4-dev jansson:libjansson-dev sqlite3:libsqlite3-dev \
	libprotobuf-c:libprotobuf-c-dev
NAMES   := $(foreach m,$(MODULES),$(firstword $(subst :, ,$m)))
PACKAGE  = $(lastword $(subst :, ,$(filter $1:%,$(MODULES))))

LIBLESS := setup setup-check demo check check-adopt check-asan check-e2e check-long torture soak fuzz bench clean help fmt \
	uninstall lint-light lint-scripts lint-format check-lint
GOALS   := $(or $(MAKECMDGOALS),all)
ifneq ($(filter-out $(LIBLESS),$(GOALS)),)
ifneq ($(shell $(PKG_CONFIG) --exists $(NAMES) 2>/dev/null && command -v $(PROTOC_C)),)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(NAMES))
# Those that are loaded late (external/late.h) are needed to compile, not to link. Small ones that nearly
# every command needs become part of the program, where their archives are there: a shared library costs
# something at every start and at every fork, whatever its size. DYNAMIC=1 shares all of them.
LATE       := libarchive libcurl
PART       := $(if $(DYNAMIC),,yaml-0.1 lua5.4 jansson sqlite3 libprotobuf-c)
archive     = $(or $(wildcard $(shell $(CC) -print-file-name=$(1:-l%=lib%.a))),$1)
PKG_LIBS   := $(foreach l,$(if $(PART),$(shell $(PKG_CONFIG) --libs $(PART))),$(call archive,$l)) \
	$(shell $(PKG_CONFIG) --libs $(filter-out $(LATE) $(PART),$(NAMES))) -lm
else
ifeq ($(shell command -v $(PKG_CONFIG)),)
$(error $(PKG_CONFIG) is missing: install the Debian package pkg-config (make setup does it))
endif
MISSING := $(strip $(foreach n,$(NAMES),$(if $(shell $(PKG_CONFIG) --exists $n || echo no),$n)))
ifneq ($(MISSING),)
$(error $(MISSING): not found by $(PKG_CONFIG); install $(foreach n,$(MISSING),$(call \
	PACKAGE,$n)) from Debian (make setup does it))
endif
$(error $(PROTOC_C) is missing: install the Debian package protobuf-c-compiler (make setup does it))
endif
endif

# ---- flags ----------------------------------------------------------------------------------
cc-option = $(if $(shell echo 'int x;' | $(CC) -Werror $1 -c -x c -o /dev/null - 2>&1),,$1)

# Texts of fixed size are cut on purpose; the optimiser's guesses about them vary with its version.
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla \
	-Wno-format-truncation
HARDEN   := -fvisibility=hidden -fstack-protector-strong $(call cc-option,-fcf-protection) -fPIE
ifdef FUZZ
OPTIMIZE := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all
LINK_SAN := -fsanitize=address,undefined
else ifdef SAN
OPTIMIZE := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LINK_SAN := -fsanitize=address,undefined
else ifdef DEBUG
OPTIMIZE := -Og -g3
else
OPTIMIZE := -O2 -g -D_FORTIFY_SOURCE=3
endif
CPPFLAGS_ALL = -D_GNU_SOURCE -DKILN_VERSION='"$(VERSION)"' -Iorchestrator -I$(GEN) $(PKG_CFLAGS) \
	$(CPPFLAGS)
CFLAGS_ALL   = -std=gnu17 $(OPTIMIZE) $(HARDEN) $(WARNINGS) -ffile-prefix-map=$(CURDIR)=. $(CFLAGS)
LDFLAGS_ALL  = -pie $(LINK_SAN) -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)
STRICT       = $(if $(filter 1,$(WERROR)),-Werror)

# ---- what is built --------------------------------------------------------------------------
# Two programs: kiln, which is small, and kiln-main, which it becomes where it has something to do.
MAIN    := $(wildcard orchestrator/cli/main.c)
FRONT   := $(wildcard orchestrator/front/main.c)
SOURCES := $(sort $(filter-out $(MAIN) $(FRONT),$(wildcard orchestrator/*/*.c orchestrator/*/*/*.c)))
PROTOS  := $(sort $(wildcard orchestrator/external/proto/*.proto))
PB_C    := $(PROTOS:orchestrator/external/%.proto=$(GEN)/%.pb-c.c)
PB_H    := $(PB_C:.c=.h)
SHARED  := $(shell find recipes/lib toolchains containers -type f \( -name '*.yaml' -o \
	-name '*.lua' -o -name '*.json' \) 2>/dev/null | sort)
EMBED   := $(sort $(SHARED) $(wildcard orchestrator/report/events.json))

OBJECTS := $(SOURCES:%.c=$(BUILD)/obj/%.o) $(PB_C:$(GEN)/%.c=$(BUILD)/obj/gen/%.o) \
	$(BUILD)/obj/gen/embedded.o
LIBRARY := $(BUILD)/libkiln.a
PROGRAM := $(if $(FRONT),$(BUILD)/kiln) $(if $(MAIN),$(BUILD)/kiln-main)

UNIT_SOURCES := $(sort $(wildcard tests/unit/*/test_*.c))
UNIT_TESTS   := $(UNIT_SOURCES:%.c=$(BUILD)/%)
TOOL_SOURCES := $(sort $(wildcard tests/tools/*.c))
TOOLS        := $(TOOL_SOURCES:%.c=$(BUILD)/%)
INSIDE_SOURCES := $(sort $(wildcard tests/inside/*.c))
INSIDE       := $(INSIDE_SOURCES:%.c=$(BUILD)/%)
FAKE_SOURCES := $(sort $(wildcard tests/fakes/*.c))
FAKE_OBJECTS := $(FAKE_SOURCES:%.c=$(BUILD)/obj/%.o)
FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/fuzz_*.c))

say = @$(if $(findstring s,$(firstword -$(MAKEFLAGS))),:,printf '  %-7s %s\n' $1 $2)
Q   := $(if $(V),,@)

.PHONY: all
all: $(LIBRARY) $(PROGRAM)

$(BUILD)/kiln: $(BUILD)/obj/orchestrator/front/main.o $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^
$(BUILD)/kiln-main: $(BUILD)/obj/orchestrator/cli/main.o $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$(LIBRARY): $(OBJECTS) $(BUILD)/objects.list
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $(OBJECTS)

$(BUILD)/obj/%.o: %.c $(BUILD)/flags | $(PB_H)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(EXTRA_CPPFLAGS) $(CFLAGS_ALL) $(STRICT) -MMD -MP -c -o $@ $<

# Generated code is protobuf-c's to keep tidy.
$(BUILD)/obj/gen/%.pb-c.o: $(GEN)/%.pb-c.c $(BUILD)/flags | $(PB_H)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -w -MMD -MP -c -o $@ $<

$(BUILD)/obj/gen/embedded.o: $(GEN)/embedded.S $(EMBED) $(BUILD)/flags
	$(call say,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(GEN)/%.pb-c.c $(GEN)/%.pb-c.h &: orchestrator/external/%.proto
	$(call say,PROTOC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(PROTOC_C) --proto_path=orchestrator/external --c_out=$(GEN) $<

$(GEN)/embedded.S: scripts/embed $(BUILD)/embed.list
	$(call say,EMBED,$@)
	$(Q)mkdir -p $(@D) && scripts/embed $(EMBED) >$@

# Stamps that change only when their text does: a file that came or went, or other flags.
.PHONY: FORCE
FORCE:
stamp = @mkdir -p $(BUILD); printf '%s\n' $1 | cmp -s - $@ || printf '%s\n' $1 >$@
$(BUILD)/flags: FORCE
	$(call stamp,'$(subst ','\'',$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) $(PKG_LIBS))')
$(BUILD)/embed.list: FORCE
	$(call stamp,$(if $(EMBED),$(EMBED),''))
$(BUILD)/objects.list: FORCE
	$(call stamp,$(OBJECTS))

# ---- what a newcomer types --------------------------------------------------------------------
# These prepare the machine, then start make anew: the libraries may only just have arrived.
AGAIN := $(MAKE) --no-print-directory -j$(JOBS)

.PHONY: setup setup-check demo check
setup:
	@scripts/setup
setup-check:
	@scripts/setup --check
demo: setup
	@$(AGAIN) WERROR=0 all
	@KILN=$(abspath $(BUILD))/kiln scripts/demo $(BUILD)/demo
# Warnings fail the build where that helps: for whoever types plain make, and in CI.
check: setup-check
	@$(AGAIN) WERROR=$(if $(CI),1,0) tests
	@$(TEST_ENV) $(SAMPLE) scripts/run-tests $(LINT_TESTS) $(UNIT_RUN) $(CLI_TESTS) $(E2E_TESTS) \
		$(TORTURE_TESTS) $(SOAK_TESTS) $(SAN_TESTS)

# ---- tests ----------------------------------------------------------------------------------
# A test finds the program in $KILN and may leave files in $KILN_BUILD.
TEST_ENV   = KILN=$(abspath $(BUILD))/kiln KILN_BUILD=$(abspath $(BUILD))
some       = $(if $(strip $2),--group $1 -j $3 $2)
LINT_TESTS = $(call some,lint,$(wildcard tests/lint/*.bats tests/lint/*.t tests/scripts/*.bats),$(JOBS))
UNIT_RUN   = $(call some,unit,$(UNIT_TESTS),$(JOBS))
CLI_TESTS  = $(call some,cli,$(wildcard tests/cli/*.bats),$(JOBS)) \
	$(call some,cases,$(wildcard tests/cases/*.bats tests/cases/*.t),$(JOBS))
SAN_TESTS  = $(call some,sanitized,$(wildcard tests/sanitized/*.bats),1)
E2E_TESTS  = $(call some,e2e,$(wildcard tests/e2e/*.bats tests/e2e/*.t),1)
ADOPT_TESTS = $(call some,adopt,tests/adopt/adopt,1)
TORTURE_TESTS = $(call some,torture,$(wildcard tests/torture/*.t),1)
SOAK_TESTS = $(call some,soak,$(wildcard tests/soak/*.t),1)
# What make check takes of them: each name of a fail point once and some more points; a minute.
SAMPLE     = JOBS=$(JOBS) TORTURE_STRIDE=150 SOAK_SECONDS=60
LONG_TESTS = $(call some,long,$(wildcard tests/long/*.bats tests/long/*.t),1)

CMOCKA_CFLAGS = $(shell $(PKG_CONFIG) --cflags cmocka)
CMOCKA_LIBS   = $(or $(shell $(PKG_CONFIG) --libs cmocka 2>/dev/null),$(error cmocka: not found \
	by $(PKG_CONFIG); install libcmocka-dev from Debian (scripts/setup --check does it)))

.PHONY: tests check-unit check-cli check-e2e check-long check-asan check-lint
tests: all $(UNIT_TESTS) $(TOOLS) $(INSIDE)

$(BUILD)/obj/tests/%.o: EXTRA_CPPFLAGS = -Itests $(CMOCKA_CFLAGS)

# Programs that the tests in shell use.
.PHONY: tools
tools: $(TOOLS) $(INSIDE)

# Programs that run in a stage of a test's: they need nothing but the C library.
$(INSIDE): $(BUILD)/%: $(BUILD)/obj/%.o
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^

$(UNIT_TESTS) $(TOOLS): $(BUILD)/%: $(BUILD)/obj/%.o $(FAKE_OBJECTS) $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(CMOCKA_LIBS) $(PKG_LIBS)

check-unit: tests
	@$(TEST_ENV) scripts/run-tests $(UNIT_RUN)
check-cli: all tools
	@$(TEST_ENV) scripts/run-tests $(CLI_TESTS)
check-e2e: setup-check
	@$(AGAIN) all tools
	@$(TEST_ENV) scripts/run-tests $(E2E_TESTS)
check-long: setup-check
	@$(AGAIN) tests
	@$(TEST_ENV) scripts/run-tests $(LONG_TESTS)
# Every fail point of every case; random builds for SOAK_SECONDS (SOAK_SEED=N: those of that seed).
# AS=root|user|namespace on the command line: whose they are; else whoever calls.
RUN_AS = $(if $(filter command,$(firstword $(origin AS))),scripts/run-as $(AS))
.PHONY: torture soak
torture: setup-check
	@$(AGAIN) all
	@$(TEST_ENV) JOBS=$(JOBS) KILN_TEST_TIMEOUT=86400 $(RUN_AS) scripts/run-tests $(TORTURE_TESTS)
soak: setup-check
	@$(AGAIN) all
	@$(TEST_ENV) SOAK_SECONDS=$(SOAK_SECONDS) KILN_TEST_TIMEOUT=$$(($(SOAK_SECONDS) + 1800)) \
		$(RUN_AS) scripts/run-tests $(SOAK_TESTS)
# All real projects that kiln init must bring to a release; `make check` takes a few of them.
.PHONY: check-adopt
check-adopt: setup-check
	@$(AGAIN) all tools
	@$(TEST_ENV) KILN_TEST_TIMEOUT=7200 scripts/run-tests $(ADOPT_TESTS)
check-lint:
	@$(TEST_ENV) scripts/run-tests $(LINT_TESTS)
# The same unit and command line tests, with every program sanitized.
check-asan: setup-check
ifndef SAN
	@$(AGAIN) SAN=1 BUILD=$(BUILD)/asan tests
	@$(MAKE) --no-print-directory SAN=1 BUILD=$(BUILD)/asan check-sanitized
else
	@$(AGAIN) tests
	@$(MAKE) --no-print-directory check-sanitized
endif
.PHONY: check-sanitized
check-sanitized:
	@$(TEST_ENV) ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 \
		UBSAN_OPTIONS=print_stacktrace=1 scripts/run-tests $(UNIT_RUN) $(CLI_TESTS)

# Each fuzzer for FUZZ_SECONDS, against a library built with its instrumentation.
.PHONY: fuzz
fuzz: setup-check
ifdef FUZZ_SOURCES
	@$(AGAIN) CC=$(CLANG) FUZZ=1 BUILD=$(BUILD)/fuzz fuzzers
	@scripts/run-fuzz $(FUZZ_SECONDS) $(FUZZ_SOURCES:%.c=$(BUILD)/fuzz/%)
else
	@echo "fuzz: there is no tests/fuzz/fuzz_*.c" >&2; exit 1
endif
.PHONY: fuzzers
fuzzers: $(FUZZ_SOURCES:%.c=$(BUILD)/%)
$(FUZZ_SOURCES:%.c=$(BUILD)/%): $(BUILD)/%: $(BUILD)/obj/%.o $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS)

# ONLY=NAME runs one benchmark.
.PHONY: bench
bench: setup
	@$(AGAIN) WERROR=0 all tools
	@$(TEST_ENV) scripts/bench/run $(ONLY)

# ---- reading the code -------------------------------------------------------------------------
LINTED   := $(sort $(wildcard orchestrator/*/*.[ch] orchestrator/*/*/*.[ch] tests/*/*.[ch] \
	tests/*/*/*.[ch]))
SHELLS     = $(sort $(shell for f in $(wildcard scripts/* scripts/*/* .ci/* tests/*/*); do \
	[ -f $$f ] && read -r line <$$f && [[ $$line =~ ^.!/bin/(ba)?sh ]] && echo $$f; done))
BATS_FILES := $(sort $(wildcard tests/*/*.bats))

.PHONY: lint lint-light lint-scripts lint-format lint-tidy lint-cppcheck fmt check-headers
lint-light:
	@scripts/check-layers
	@scripts/check-size
	@scripts/check-words
check-headers: $(PB_H)
	@CC='$(CC)' CFLAGS='$(CPPFLAGS_ALL) -std=gnu17 $(WARNINGS) -Werror' scripts/check-headers
lint-scripts:
	shellcheck $(SHELLS)
	shellcheck --shell=bats --severity=warning --exclude=SC2154,SC2164 $(BATS_FILES)
lint-format:
	clang-format-19 --dry-run -Werror $(LINTED)
# Suppressed: statement expressions in initialisers, which it cannot parse; NULL after variadic
# arguments, a pointer in glibc and musl.
lint-cppcheck: $(PB_H)
	cppcheck --quiet --std=c11 --language=c --enable=warning,portability,performance \
		--inline-suppr --error-exitcode=1 --suppress=missingIncludeSystem \
		--suppress=internalAstError --suppress=varFuncNullUB --suppress='*:$(GEN)/*' \
		--library=.cppcheck.cfg -j $(JOBS) \
		-D__cppcheck__ -D_GNU_SOURCE -DKILN_VERSION='"$(VERSION)"' -Iorchestrator -I$(GEN) \
		orchestrator
lint-tidy: $(PB_H)
	@printf '%s\n' $(SOURCES) $(MAIN) $(FRONT) | xargs -P $(JOBS) -n 4 bash -c \
		'clang-tidy-19 --quiet "$$@" -- $(subst ','\'',$(CPPFLAGS_ALL)) -std=gnu17' clang-tidy
lint: lint-light check-headers lint-scripts lint-cppcheck lint-format lint-tidy
	@$(AGAIN) CC=$(CLANG) BUILD=$(BUILD)/clang tests
	@echo "lint: clean"
fmt:
	clang-format-19 -i $(LINTED)

# ---- installing -------------------------------------------------------------------------------
# The library, toolchains and containers are inside the program; the copies in share/kiln are for
# people and editors. Manual pages and completion scripts are the program's own words.
DOCS   := $(wildcard README.md SECURITY.md THREAT_MODEL.md LICENSE)
SHARE   = $(DESTDIR)$(PREFIX)/share
SCRIPTS = bash-completion/completions/kiln fish/vendor_completions.d/kiln.fish zsh/site-functions/_kiln
.PHONY: install uninstall docs
$(BUILD)/share: $(PROGRAM)
	$(call say,SHARE,$@)
	$(Q)rm -rf $@ $@.new && mkdir -p $(addprefix $@.new/,$(dir $(SCRIPTS)))
	$(Q)$(BUILD)/kiln help --man $@.new/man
	$(Q)set -e; for f in $(SCRIPTS); do $(BUILD)/kiln completion $${f%%[-/]*} >$@.new/$$f; done
	$(Q)touch $@.new && mv $@.new $@
install: all $(BUILD)/share
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/kiln $(SHARE)/doc/kiln
	install -m 755 $(BUILD)/kiln $(DESTDIR)$(PREFIX)/bin/kiln
	install -m 755 $(BUILD)/kiln-main $(DESTDIR)$(PREFIX)/libexec/kiln/kiln-main
	install -m 644 $(DOCS) $(SHARE)/doc/kiln
	set -e; for f in $(SHARED); do install -D -m 644 $$f $(SHARE)/kiln/$$f; done
	install -D -m 644 recipes/lib/kiln.d.lua $(SHARE)/kiln/annotations/kiln.d.lua
	install -D -m 644 toolchains/schema.json $(SHARE)/kiln/schemas/toolchain.schema.json
	install -D -m 644 containers/schema.json $(SHARE)/kiln/schemas/container.schema.json
	install -D -m 644 orchestrator/report/events.json $(SHARE)/kiln/schemas/events.schema.json
	set -e; cd $(BUILD)/share; for f in man/man*/* $(SCRIPTS); do \
		install -D -m 644 $$f $(SHARE)/$$f; done
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/kiln $(addprefix $(SHARE)/,$(SCRIPTS)) $(SHARE)/man/man1/kiln.1 \
		$(SHARE)/man/man1/kiln-*.1 $(SHARE)/man/man5/kiln-recipe.5 $(SHARE)/man/man5/kiln.lock.5
	rm -rf $(SHARE)/doc/kiln $(SHARE)/kiln $(DESTDIR)$(PREFIX)/libexec/kiln

# docs/reference is committed, so that it can be read where the code is; tests/cli/help.bats fails
# where it lags behind.
docs: all
	$(BUILD)/kiln help --markdown docs/reference

.PHONY: help
help:
	@printf '%s\n' \
	'make demo         prepare the machine, build, release gawk for two architectures, verify it' \
	'make check        prepare the machine, build, run every test (last line: N passed, …)' \
	'' \
	'make              build build/kiln             (DEBUG=1, SAN=1, CC=clang-19, BUILD=DIR, V=1, DYNAMIC=1)' \
	'make setup        install what building and running needs from Debian packages' \
	'make check-unit   unit tests                   check-cli   command line tests and cases' \
	'make check-asan   both, under ASan and UBSan   check-e2e   real pipelines' \
	'make check-long   the slow ones                check-lint  layers, sizes, words, headers' \
	'make check-adopt  kiln init on real projects   fuzz        fuzzers (FUZZ_SECONDS=10 each)' \
	'make torture      every fail point             soak        random builds (SOAK_SECONDS=600)' \
	'                  AS=user, AS=namespace: as a plain user, as root of a user namespace' \
	'make bench        benchmarks (ONLY=NAME)' \
	'make lint         all static checks            fmt         format the C code' \
	'make docs         write docs/reference' \
	'make install      PREFIX=/usr/local DESTDIR=   uninstall   the reverse' \
	'make clean        remove the build folder'

.PHONY: clean
clean:
	rm -rf $(BUILD)

-include $(patsubst %.o,%.d,$(filter-out %/embedded.o,$(OBJECTS)) $(FAKE_OBJECTS) \
	$(UNIT_SOURCES:%.c=$(BUILD)/obj/%.o) $(TOOL_SOURCES:%.c=$(BUILD)/obj/%.o) $(FUZZ_SOURCES:%.c=$(BUILD)/obj/%.o) $(if $(MAIN),$(BUILD)/obj/orchestrator/cli/main.o) $(if $(FRONT),$(BUILD)/obj/orchestrator/front/main.o))
