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

LIBLESS := setup setup-check demo check clean help fmt uninstall lint-light lint-scripts \
	check-asan check-e2e check-long fuzz bench
GOALS   := $(or $(MAKECMDGOALS),all)
ifneq ($(filter-out $(LIBLESS),$(GOALS)),)
ifneq ($(shell $(PKG_CONFIG) --exists $(NAMES) 2>/dev/null && command -v $(PROTOC_C)),)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(NAMES))
PKG_LIBS   := $(shell $(PKG_CONFIG) --libs $(NAMES))
else
ifeq ($(shell command -v $(PKG_CONFIG)),)
$(error $(PKG_CONFIG) is missing: install the Debian package pkg-config (make setup does it))
endif
MISSING := $(foreach n,$(NAMES),$(if $(shell $(PKG_CONFIG) --exists $n || echo no),$n))
ifneq ($(MISSING),)
$(error $(MISSING): not found by $(PKG_CONFIG); install $(foreach n,$(MISSING),$(call \
	PACKAGE,$n)) from Debian (make setup does it))
endif
$(error $(PROTOC_C) is missing: install the Debian package protobuf-c-compiler (make setup does it))
endif
endif

# ---- flags ----------------------------------------------------------------------------------
cc-option = $(if $(shell echo 'int x;' | $(CC) -Werror $1 -c -x c -o /dev/null - 2>&1),,$1)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
HARDEN   := -fstack-protector-strong $(call cc-option,-fcf-protection) -fPIE
ifdef SAN
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
MAIN    := $(wildcard orchestrator/cli/main.c)
SOURCES := $(sort $(filter-out $(MAIN),$(wildcard orchestrator/*/*.c orchestrator/*/*/*.c)))
PROTOS  := $(sort $(wildcard orchestrator/external/proto/*.proto))
PB_C    := $(PROTOS:orchestrator/external/%.proto=$(GEN)/%.pb-c.c)
PB_H    := $(PB_C:.c=.h)
EMBED   := $(shell find recipes/lib toolchains containers -type f \( -name '*.yaml' -o \
	-name '*.lua' -o -name '*.json' \) 2>/dev/null | sort)

OBJECTS := $(SOURCES:%.c=$(BUILD)/obj/%.o) $(PB_C:$(GEN)/%.c=$(BUILD)/obj/gen/%.o) \
	$(BUILD)/obj/gen/embedded.o
LIBRARY := $(BUILD)/libkiln.a
PROGRAM := $(if $(MAIN),$(BUILD)/kiln)

UNIT_SOURCES := $(sort $(wildcard tests/unit/*/test_*.c))
UNIT_TESTS   := $(UNIT_SOURCES:%.c=$(BUILD)/%)
FAKE_SOURCES := $(sort $(wildcard tests/fakes/*.c))
FAKE_OBJECTS := $(FAKE_SOURCES:%.c=$(BUILD)/obj/%.o)
FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/fuzz_*.c))

say = @$(if $(findstring s,$(firstword -$(MAKEFLAGS))),:,printf '  %-7s %s\n' $1 $2)
Q   := $(if $(V),,@)

.PHONY: all
all: $(LIBRARY) $(PROGRAM)

$(BUILD)/kiln: $(BUILD)/obj/orchestrator/cli/main.o $(LIBRARY)
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
	$(call stamp,'$(subst ','\'',$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL))')
$(BUILD)/embed.list: FORCE
	$(call stamp,$(if $(EMBED),$(EMBED),''))
$(BUILD)/objects.list: FORCE
	$(call stamp,$(OBJECTS))

# ---- tests ----------------------------------------------------------------------------------
CMOCKA_LIBS = $(shell $(PKG_CONFIG) --libs cmocka)

.PHONY: tests
tests: all $(UNIT_TESTS)

$(BUILD)/obj/tests/%.o: EXTRA_CPPFLAGS = -Itests $(shell $(PKG_CONFIG) --cflags cmocka)

$(UNIT_TESTS): $(BUILD)/%: $(BUILD)/obj/%.o $(FAKE_OBJECTS) $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(CMOCKA_LIBS) $(PKG_LIBS)

.PHONY: clean
clean:
	rm -rf $(BUILD)

-include $(patsubst %.o,%.d,$(filter-out %/embedded.o,$(OBJECTS)) $(FAKE_OBJECTS) \
	$(UNIT_SOURCES:%.c=$(BUILD)/obj/%.o) $(if $(MAIN),$(BUILD)/obj/orchestrator/cli/main.o))
