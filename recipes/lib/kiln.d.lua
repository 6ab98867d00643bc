---@meta
-- What recipes can call, for editors that understand LuaCATS annotations. This file is never run.
-- Texts are UTF-8; paths are relative, with '/' between their parts and without "." and "..".

-- ---------------------------------------------------------------------------------------------------
-- The declarative surface
-- ---------------------------------------------------------------------------------------------------

---@class kiln.Source where files come from: what `folder`, `checkout`, `debian.source` and `https` give
---@class kiln.Build how the programs are built: what `make.build` and its like give, or a table of your own with `bins`, `setup(ctx)` and `compile(ctx, shared, how)`
---@class kiln.Fdo what `fdo` gives
---@class kiln.Run what `run` gives
---@class kiln.Bin what `bin` gives
---@class kiln.Script what `script` gives
---@class kiln.Tool what `tool` gives
---@class kiln.Ready what `tcp` gives
---@class kiln.File what `file` gives
---@class kiln.Dir what `dir` gives
---@class kiln.Package what `archive` and `deb` give, or a table of your own with `declare(ctx, variant, bins)`
---@class kiln.Release what `release` gives, and a recipe returns

---@class kiln.ReleaseFields
---@field api 1 the version of this language
---@field name string the release's name, part of every file name
---@field version? string of letters, digits, . + - ~; default: the Debian source's upstream version
---@field license string an SPDX expression
---@field summary? string one line
---@field homepage? string its address in the web, for packages and SBOMs
---@field date? integer seconds since 1970, the time every file carries; default: the Debian source's changelog, or the commit
---@field source kiln.Source what is built
---@field work? kiln.Source the folder that file and dir look in
---@field deps? table<string, kiln.Source> other sources (debian.source, folder, https), by the path below the source where each is placed: ["vendor/zlib"] = debian.source { … }
---@field build kiln.Build how it is built
---@field toolchain? string default "llvm-19"; a project adds its own as .kiln/toolchains/NAME.yaml
---@field targets (string|kiln.TargetFields)[] triples, as in "x86_64-unknown-linux-gnu"; `kiln plan --targets` lists all there are
---@field train? table<string|integer, kiln.Run> runs that make the profile
---@field holdout? table<string|integer, kiln.Run> runs that every variant must pass; other data than train's
---@field optimize? kiln.Fdo default: the plain variant alone
---@field add? string[] Debian packages that the images have besides the usual: "NAME" or "NAME:ARCH"
---@field pools? table<string, integer> how many stages of each pool run at once, whatever the machine has: { link = 1 }
---@field files? kiln.Files documents, manual pages and completions of the source
---@field packages kiln.Package[] what is made of the built programs, for each target

---@class kiln.TargetFields
---@field [1] string the triple
---@field toolchain? string in place of the release's

---@class kiln.Files
---@field [integer] string documents, licences first
---@field man? string[] manual pages, NAME.SECTION
---@field completions? { bash?: string, fish?: string, zsh?: string } the scripts of the shells

---Says what a release is: every recipe ends with it. An unknown field, a wrong type or a missing field
---is an error at the recipe's own line.
---
---```lua
---return release {
---  api = 1,
---  name = "hello",
---  version = "1.0",
---  license = "Apache-2.0",
---  date = 1735689600,
---  source = folder "src",
---  build = make.build { args = { "hello" }, bins = { "hello" } },
---  targets = { "x86_64-unknown-linux-gnu" },
---  packages = { archive { "tar.zst" } },
---}
---```
---@param fields kiln.ReleaseFields
---@return kiln.Release
function release(fields) end

---@class kiln.FdoFields
---@field lto? "thin"|"full"|false link-time optimisation
---@field pgo? boolean a compiler profile of the training runs, which must run every program of the build
---@field bolt? "auto"|boolean BOLT; "auto": where the toolchain lists it
---@field ship string the variant that is released: "plain", "lto", "pgo+lto", "pgo+lto+bolt"; where the target has no BOLT, the one below it
---@field baseline? string -O flag of the plain variant, default "-O2"
---@field level? string -O flag of the others, default "-O3"
---@field functions? integer the fewest functions a profile must cover, default 1
---@field bolt_flags? string[] in place of the usual ones
---@field bolt_skip? string[] functions BOLT leaves alone, as regular expressions of whole names
---@field sample? boolean take BOLT's profile with perf where the machine has branch stacks; the image must have perf

---Feedback-directed optimisation: which variants are built, and which one ships. They are, as far as
---`lto`, `pgo` and `bolt` ask for them: `plain`, `lto`, `pgo+lto`, `pgo+lto+bolt`. Profiles come from
---the release's `train` runs, and every variant must print on the `holdout` runs what the plain one does.
---
---```lua
---optimize = fdo { lto = "thin", pgo = true, bolt = "auto", ship = "pgo+lto+bolt" },
---```
---@param fields kiln.FdoFields
---@return kiln.Fdo
function fdo(fields) end

autotools = {}

---@class kiln.AutotoolsFields
---@field configure? string[]|fun(target: kiln.Target): string[] further arguments of ./configure
---@field make? string[]|fun(target: kiln.Target, how: kiln.How): string[] targets and variables of make
---@field bins string[] programs that are kept, by path in the built tree
---@field cxx? boolean it is C++ as well
---@field env? table<string, string> variables, by name
---@field cflags? string[] added in every variant
---@field ldflags? string[] added in every variant
---@field bootstrap? string[] a command that makes ./configure where the source lacks it, as in { "autoreconf", "-fi" }; the image then has autoconf, automake, libtool and pkgconf
---@field test? string[] what make is called with to run the project's own tests, as in { "check" }: before a release, over the programs as they ship, on targets that this machine runs natively
---@field exclude? string[] globs of what only ./configure needs: the variants' builds do without, and do not run again when it changes

---./configure once per target, make once per variant: the flags of a variant go to make.
---
---```lua
---build = autotools.build { configure = { "--disable-nls" }, bins = { "gawk" } },
---```
---@param fields kiln.AutotoolsFields
---@return kiln.Build
function autotools.build(fields) end

make = {}

---@class kiln.MakeFields
---@field args? string[]|fun(target: kiln.Target, flags: kiln.Flags): string[] targets and options of make
---@field variables? table<string, string>|fun(target: kiln.Target, flags: kiln.Flags): table<string, string> in place of CC, CXX, AR, RANLIB, CFLAGS, CXXFLAGS, LDFLAGS
---@field cflags? string[] what the sources need besides the variant's flags; make fills in $(NAME)
---@field ldflags? string[] added to every link
---@field configure? string[] a command that runs before make, for a ./configure that autoconf did not make; it finds compiler and flags in the environment
---@field test? string[] what make is called with to run the project's own tests, as in { "check" }: before a release, over the programs as they ship, on targets that this machine runs natively
---@field dir? string the folder of the source where the Makefile lies; default: its root
---@field bins string[] programs that are kept, by path in the built tree
---@field env? table<string, string> variables, by name

---A plain Makefile, run once per variant with CC, CXX, AR, RANLIB, CFLAGS, CXXFLAGS and LDFLAGS of the
---variant.
---
---```lua
---build = make.build { args = { "hello" }, bins = { "hello" } },
---```
---@param fields kiln.MakeFields
---@return kiln.Build
function make.build(fields) end

cmake = {}

---@class kiln.CmakeFields
---@field bins string[] programs, by their path in the build folder, or by a name that is looked for there
---@field test? string[] arguments of ctest, which runs the project's own tests: before a release, over the programs as they ship, on targets that this machine runs natively. {} for none. They must be built: leave `targets` out
---@field options? table<string, string|integer>|fun(target: kiln.Target): table cache variables by name
---@field targets? string[] what is built; default: all
---@field dir? string the folder of the source with CMakeLists.txt
---@field env? table<string, string|integer> variables, by name
---@field cflags? string[] besides the variant's
---@field ldflags? string[] besides the variant's

---CMake with Ninja, configured for each variant. Its image has cmake and ninja-build besides the usual.
---
---```lua
---build = cmake.build { options = { BUILD_TESTING = "OFF" }, targets = { "fgrep" }, bins = { "src/fgrep" } },
---```
---@param fields kiln.CmakeFields
---@return kiln.Build
function cmake.build(fields) end

meson = {}

---@class kiln.MesonFields
---@field bins string[] programs, by their path in the build folder, or by a name that is looked for there
---@field test? string[] arguments of `meson test`, which runs the project's own tests: before a release, over the programs as they ship, on targets that this machine runs natively. {} for none. They must be built: leave `targets` out
---@field options? table<string, string|integer>|fun(target: kiln.Target): table options by name
---@field targets? string[] what is built; default: all
---@field dir? string the folder of the source with meson.build
---@field env? table<string, string|integer> variables, by name
---@field cflags? string[] besides the variant's
---@field ldflags? string[] besides the variant's

---Meson with Ninja, configured for each variant. Its image has meson, ninja-build and pkgconf besides
---the usual.
---
---```lua
---build = meson.build { options = { tests = "false" }, bins = { "src/fgrep" } },
---```
---@param fields kiln.MesonFields
---@return kiln.Build
function meson.build(fields) end

cargo = {}

---@class kiln.CargoManifest what is missing is an error once a recipe asks for it
---@field name string of the package
---@field version string of the package
---@field license string an SPDX expression; "MIT/Apache-2.0" is read as "MIT OR Apache-2.0"
---@field bins string[] the programs that Cargo builds by default: those that need a feature are left out

---What the Cargo.toml in a folder beside the recipe says about its package, with what it inherits from
---its workspace. The default is the recipe's own folder.
---
---```lua
---local pkg = cargo.manifest "crates/cli"
---```
---@param dir? string
---@return kiln.CargoManifest
function cargo.manifest(dir) end

---@class kiln.CargoFields
---@field bins? string[] programs by name; default: those of the manifest in that folder beside the recipe
---@field ["package"]? string one of a workspace's
---@field features? string[] features of the package that are wanted besides the default ones
---@field default_features? boolean whether the default ones are; default: true
---@field dir? string where Cargo.lock lies in the source: a workspace's root
---@field env? table<string, string|integer> variables, by name, but for what makes the variants differ
---@field rustflags? string[] besides the variant's; RUSTFLAGS and build.rustflags of the project are not read

---A Cargo package, built offline from the crates that its Cargo.lock names. Plain is the manifest's own
---release profile. Its image has cargo and Rust's library for every target besides the usual.
---
---```lua
---build = cargo.build { package = "cli", bins = { "tool" } },
---```
---@param fields kiln.CargoFields
---@return kiln.Build
function cargo.build(fields) end

---@class kiln.Flags what a variant is compiled and linked with, for functions in `make.build`
---@field cflags string flags of the compiler, with spaces between
---@field ldflags string flags of the linker, likewise

debian = {}

---@class kiln.DebianFields
---@field name string the source package
---@field version string as in "1:5.2.1-2"
---@field dsc? string "sha256:…" of the .dsc; without it the source is unpinned until `kiln lock`
---@field patches? boolean with Debian's patches; default false: as upstream released it

---A Debian source package, fetched from the Debian mirror and checked by its .dsc.
---
---```lua
---source = debian.source { name = "gawk", version = "1:5.2.1-2" },
---```
---@param fields kiln.DebianFields
---@return kiln.Source
function debian.source(fields) end

---@class kiln.CheckoutFields
---@field exclude? string[] globs of tracked paths that are no part of the source, besides the recipe, .kiln/, kiln.lock and kiln.profiles/, which never are

---The git repository the recipe lies in: tracked files, submodules, what Git LFS keeps aside. A release
---takes what the commit holds, a build what lies there. Untracked files are no part of it.
---
---```lua
---source = checkout { exclude = { "bench/**" } },
---```
---@param fields? kiln.CheckoutFields
---@return kiln.Source
function checkout(fields) end

git = {}

---@class kiln.GitVersionFields
---@field tag string a glob; what stands in front of its first * is no part of the version, as in "v*"

---The version of the tag on the commit; else one between that tag and the next, like 1.4.1-dev.7+gabc1234,
---which `kiln release` takes only with `--snapshot`. Where no tag matches it is an error.
---
---```lua
---version = git.version { tag = "v*" },
---```
---@param fields kiln.GitVersionFields
---@return string
function git.version(fields) end

---The text of a file beside the recipe, without the line end at its end. It must be UTF-8 and lie in the
---project.
---
---```lua
---version = read "VERSION",
---```
---@param path string
---@return string
function read(path) end

---A value that the command line may set: `--set NAME=VALUE`. It is of the default's type: text, true or
---false, or a whole number. Each name is asked for once.
---
---```lua
---local level = option("level", "-O3")
---```
---@generic T: string|boolean|integer
---@param name string
---@param default T
---@return T
function option(name, default) end

---A folder beside the recipe, with all that lies in it.
---
---```lua
---source = folder "src",
---```
---@param path string
---@return kiln.Source
function folder(path) end

---@class kiln.HttpsFields
---@field url string its address, https://…
---@field sha256 string 64 hex digits; what is fetched must have them

---A file from the web. As a part of `run` it is placed as fetched/DIGEST/NAME (the first 12 digits of
---sha256, and the name its address ends with) and named on the command line.
---
---```lua
---words = run { bin "hello", https { url = "https://example.org/words.txt", sha256 = "9f86…" } },
---```
---@param fields kiln.HttpsFields
---@return kiln.Source
function https(fields) end

---@class kiln.RunFields
---@field [1] kiln.Bin|kiln.Script|kiln.Tool what is run; a tool only against a server
---@field [integer] string|integer|kiln.File|kiln.Dir|kiln.Source the parts of the command line
---@field name? string part of the stages' addresses; default: its key or position
---@field weight? integer how much the run counts in the profiles, the compiler's and BOLT's, default 1
---@field stdin? kiln.File its standard input; default: empty
---@field exit? integer[] accepted exit codes besides 0
---@field env? table<string, string> variables, by name
---@field timeout? integer seconds until it is stopped, default 1800
---@field inputs? (kiln.File|kiln.Dir)[] what it reads and the command line does not name
---@field filters? kiln.Filter[] what varies in the output and is not compared
---@field bins? string[] of a script: which programs of the build it runs; default: all. Each of them is trained, and one that it never runs fails the stage that merges its profile
---@field tools? string[] Debian packages with what a script calls: "NAME" or "NAME:ARCH"; the release's images have them besides the usual
---@field cases? table<string|integer, kiln.Case> one run for each, named NAME-CASE: the run with further parts

---What a line of output is before it is compared, in the order given. A line that holds a NUL byte is
---left as it is.
---@class kiln.Filter
---@field drop_lines? string a glob of whole lines, in which * also stands for slashes: they are left out
---@field regex? string a POSIX extended regular expression: every match in a line becomes `replace`, in which \\0 to \\9 stand for what matched
---@field replace? string what each match becomes

---One of a run's cases; or just a part: cases = { small = file "small.txt" }
---@class kiln.Case
---@field [integer] string|integer|kiln.File|kiln.Dir|kiln.Source behind the run's own parts
---@field weight? integer in place of the run's, as are the next
---@field stdin? kiln.File its standard input
---@field exit? integer[] accepted exit codes besides 0
---@field filters? kiln.Filter[] what varies in the output and is not compared

---One run of a program, or of a script that runs programs of the build, which it finds in PATH. It
---starts in a folder that holds what its parts, `stdin` and `inputs` name, at the paths they have in the
---work folder. There is no network. Where the target is foreign, programs in PATH run in the emulator.
---
---```lua
---train = {
---  top = run { bin "hello", "-n", 20, stdin = file "train/letters.txt" },
---},
---```
---@param fields kiln.RunFields
---@return kiln.Run
function run(fields) end

---@class kiln.ServeFields
---@field [1] kiln.Bin|kiln.Script the server; a script ends in `exec` of it
---@field [integer] string|integer|kiln.File|kiln.Dir|kiln.Source the parts of its command line
---@field ready kiln.Ready as in ready = tcp(8080)
---@field run kiln.Run|kiln.Run[] what is run against it, one after the other; what they print is the output. They have none of: name, weight, timeout, filters, cases
---@field stop? "TERM"|"INT"|"QUIT"|"HUP"|"USR1"|"USR2" the signal that ends it; default "TERM"
---@field exit? integer[] the server's accepted exit codes besides 0
---@field name? string as in run
---@field weight? integer how much it counts in the profiles, default 1
---@field env? table<string, string> of the server and of what is run against it
---@field timeout? integer seconds for all of it, default 1800
---@field inputs? (kiln.File|kiln.Dir)[] what it reads and no command line names
---@field filters? kiln.Filter[] what varies in the output and is not compared
---@field bins? string[] programs that are run besides the server and what `run` names
---@field tools? string[] Debian packages with what a script calls, as in run

---A server as a run: it is started, waited for, run against on the sandbox's own loopback, and stopped by
---a signal. It must catch the signal and leave by exit() or out of main: an instrumented program writes
---its profile then. What it prints goes to the log and is not compared.
---@param fields kiln.ServeFields
---@return kiln.Run
function serve(fields) end

---Ready when somebody listens on a TCP port. No connection is made to find out.
---@param port integer
---@param seconds? integer how long that may take, default 60
---@return kiln.Ready
function tcp(port, seconds) end

---A program of the build, by name: the first part of a run. It is the last part of one of the paths in `bins`.
---@param name string
---@return kiln.Bin
function bin(name) end

---A script of the release's work folder, as the first part of a run. It is executable, and its first
---line names the program that reads it: #!/bin/sh, or of the packages in `tools`: #!/usr/bin/env python3
---@param path string
---@return kiln.Script
function script(path) end

---A program of the image that is run against a server, as the first part of a run. `tools` of that run
---names the Debian package that has it: run { tool "curl", "-s", "http://127.0.0.1:8080/", tools = { "curl" } }
---@param name string
---@return kiln.Tool
function tool(name) end

---@class kiln.Placed
---@field [1] string the path
---@field shared? boolean training and held-out runs may both have it, since it is no data: a configuration. Scripts are that of themselves

---A file of the release's `work` folder, by its path there. A run sees it at that path.
---@param path string|kiln.Placed
---@return kiln.File
function file(path) end

---A folder of the release's work folder.
---@param path string|kiln.Placed
---@return kiln.Dir
function dir(path) end

---What an archive is packed as.
---@alias kiln.Format "tar.zst"|"tar.xz"|"tar.gz"|"zip"

---@class kiln.ArchiveFields
---@field [1] kiln.Format how it is packed
---@field windows? kiln.Format for Windows targets
---@field name? string what its file is called before the ending; default "{name}-{version}-{triple}". Words: {name} {version} {triple} {arch} {os} {debian}
---@field root? string the folder in it, of the same words; default: as name

---An archive with one folder, both of one name unless said otherwise: the programs in `bin/`, manual
---pages and completions in `share/`, documents beside them.
---
---```lua
---packages = { archive { "tar.zst", windows = "zip" } },
---```
---@param fields kiln.ArchiveFields
---@return kiln.Package
function archive(fields) end

---@class kiln.DebFields
---@field maintainer string "NAME <ADDRESS>"
---@field name? string default: the release's
---@field revision? string|integer default 1
---@field section? string default "misc"
---@field priority? string default "optional"
---@field depends? string[] as in "libc6 (>= 2.34)"
---@field conflicts? string[] packages, as in depends
---@field provides? string[] likewise
---@field replaces? string[] likewise
---@field copyright? string the document that becomes usr/share/doc/NAME/copyright; default: the first of files
---@field file? string what its file is called before ".deb", of the words of archive's name

---A Debian package. Targets that are not Linux have none.
---
---```lua
---packages = { deb { maintainer = "Kiln <kiln@example.org>", depends = { "libc6 (>= 2.34)" } } },
---```
---@param fields kiln.DebFields
---@return kiln.Package
function deb(fields) end

---A module: of the embedded library ("kiln.fdo"), else NAME.lua beside the recipe, else below the project;
---a point in the name is a folder. Each module runs once.
---@param name string
---@return any
function require(name) end

-- ---------------------------------------------------------------------------------------------------
-- The primitive underneath: what the library is written with
-- ---------------------------------------------------------------------------------------------------

---@class kiln.Ref a stage, a source, or a part of what it holds
---@field id string
---@field kind "stage"|"leaf"
---@field path string
---@field stdout kiln.Ref what the stage printed
---@field log kiln.Ref its standard error
local Ref = {}

---A part, by path: an output of a stage, or a file of a source.
---@param path string
---@return kiln.Ref
function Ref:at(path) end

---@class kiln.StageFields
---@field address string TARGET/VARIANT/NAME; VARIANT is "shared" for what variants have in common
---@field where? string FILE:LINE for errors; default: the line that is being run
---@field inputs? { at: string, from: kiln.Ref }[]
---@field env? table<string, string>
---@field image? string default: the target's
---@field workdir? string
---@field exit? integer[] accepted exit codes besides 0
---@field reject? string[] texts whose presence in the log fails the stage
---@field timeout? integer seconds
---@field cpus? integer how many processors it keeps busy: it starts when so many are free
---@field memory? integer bytes it may have: it starts when so many are not promised to others, and is ended when its processes have more, files in /tmp and /dev/shm with them; default: nine tenths of the machine's
---@field processes? integer processes and threads it may have at once, before it is ended; default: 4096
---@field disk? integer bytes its work folder may hold, before it is ended; without, it leaves the last gigabyte of the store's file system
---@field pool? string one of the release's pools: so many of its stages run at once as that says
---@field retries? integer how often it is run again when the machine failed (its runner was killed, the disk did not answer), never when the stage itself did; default 0
---@field exclusive? boolean runs alone on the machine: other kilns, of other users too, wait

---@class kiln.RunStage : kiln.StageFields
---@field argv (string|integer)[]
---@field outputs (string|{ path: string, exclude?: string[], non_empty?: boolean })[]
---@field fixed_addresses? boolean
---@field incremental? boolean with `kiln build --dev` it goes on in the folder of its last run, as what compiles does

---@class kiln.RebuildStage : kiln.RunStage
---@field profile kiln.Ref placed as kiln.profdata

---@class kiln.CommandFields one of name and script
---@field name? string the program's file name
---@field script? string tree path of a script
---@field interpreter? string what the script begins with
---@field argv? (string|integer)[]
---@field stdin? string

---@class kiln.ClientFields : kiln.CommandFields
---@field command? string a program of the image, in place of name and script
---@field env? table<string, string>
---@field exit? integer[] accepted exit codes besides 0

---@class kiln.WorkloadStage : kiln.StageFields, kiln.CommandFields
---@field binary? kiln.Ref the program; or
---@field programs? { name: string, from: kiln.Ref }[] several
---@field emulator? string[]
---@field serve? { port: integer, ready?: integer, stop?: string, exit?: integer[], clients: kiln.ClientFields[] }
---@field collect? "none"|"profraw" workload alone
---@field run? integer workload alone: tells equal runs apart
---@field profiled? string[] bolt_workload and perf_record alone: programs with a profile of their own, in prof/NAME

---@class kiln.UnseenStage : kiln.StageFields
---@field trained kiln.Ref the merged profile of the training runs
---@field profiles { from: kiln.Ref }[] the held-out runs
---@field tool string

---@class kiln.MergeStage : kiln.StageFields
---@field profiles { from: kiln.Ref, weight?: integer }[]
---@field tool string
---@field functions? integer profdata_merge alone

---@class kiln.BinaryStage : kiln.StageFields
---@field binary kiln.Ref
---@field tool string
---@field flags? string[]
---@field runtime_library? string bolt_instrument alone
---@field profile? string bolt_instrument alone: a folder below prof for its counts
---@field fdata? kiln.Ref llvm_bolt alone

---@class kiln.SmokeStage : kiln.StageFields
---@field cases string[]
---@field reference? kiln.Ref[] the reference's output of each case; or
---@field expected? string[] in its place: the SHA-256 of each case's filtered output
---@field candidate kiln.Ref[]
---@field filters? table<string, table[]> by case, as in `run`
---@field label? string

---@class kiln.TreeStage : kiln.StageFields
---@field root string
---@field files { at: string, from: kiln.Ref, mode?: "0644"|"0755" }[]

---@class kiln.CompressStage : kiln.StageFields
---@field from kiln.Ref
---@field format "zst"|"xz"|"gz"
---@field name? string

---@class kiln.DebMembersStage : kiln.StageFields
---@field control table<string, string>
---@field files { at: string, from: kiln.Ref, mode?: "0644"|"0755" }[]

---@class kiln.DebArStage : kiln.StageFields
---@field control kiln.Ref
---@field data kiln.Ref

---Each declares one stage and gives a reference to it.
---@class kiln.Stages
---@field run fun(fields: kiln.RunStage): kiln.Ref
---@field build fun(fields: kiln.RunStage): kiln.Ref
---@field instrument fun(fields: kiln.RunStage): kiln.Ref
---@field rebuild fun(fields: kiln.RebuildStage): kiln.Ref
---@field workload fun(fields: kiln.WorkloadStage): kiln.Ref
---@field bolt_workload fun(fields: kiln.WorkloadStage): kiln.Ref
---@field perf_record fun(fields: kiln.WorkloadStage): kiln.Ref
---@field profdata_merge fun(fields: kiln.MergeStage): kiln.Ref
---@field fdata_merge fun(fields: kiln.MergeStage): kiln.Ref
---@field bolt_instrument fun(fields: kiln.BinaryStage): kiln.Ref
---@field llvm_bolt fun(fields: kiln.BinaryStage): kiln.Ref
---@field strip fun(fields: kiln.BinaryStage): kiln.Ref
---@field smoke fun(fields: kiln.SmokeStage): kiln.Ref
---@field tar fun(fields: kiln.TreeStage): kiln.Ref
---@field zip fun(fields: kiln.TreeStage): kiln.Ref
---@field compress fun(fields: kiln.CompressStage): kiln.Ref
---@field unseen fun(fields: kiln.UnseenStage): kiln.Ref
---@field deb_members fun(fields: kiln.DebMembersStage): kiln.Ref
---@field deb_ar fun(fields: kiln.DebArStage): kiln.Ref
stage = {}

kiln = {}

---Declares a source. `values` can be read through the reference.
---@param id string
---@param spec { kind: string, [string]: any }
---@param values? table<string, string>
---@return kiln.Ref
function kiln.leaf(id, spec, values) end

---Declares a target and its variants, from the simplest on.
---@param fields { triple: string, toolchain: string, image: string, path?: string[], variants: string[], ship: string, reference: string, where?: string }
function kiln.target(fields) end

---Declares a profile that may be pinned in place of the runs that make it.
---@param fields { id: string, target: string, kind: "pgo"|"bolt", from: kiln.Ref, sampled?: kiln.Ref, flags?: string[], sources: string[], after?: string, unseen?: kiln.Ref, where?: string }
function kiln.profile(fields) end

---Declares which smoke stage stands for a variant.
---@param fields { target: string, variant: string, stage: kiln.Ref, where?: string }
function kiln.smoke(fields) end

---Says which stage runs the project's own tests over a variant's programs: a release needs it.
---@param fields { target: string, variant: string, stage: kiln.Ref, where?: string }
function kiln.test(fields) end

---Declares an image of the recipe's own: another container with more packages.
---@param fields { name: string, base: string, packages: string[], where?: string }
function kiln.image(fields) end

---Says what a run of train or holdout is given. What is in both, by content, is refused.
---`shared`: both may have it.
---@param fields { list: "train"|"holdout", path: string, from: kiln.Ref, shared?: boolean, where?: string }
function kiln.workload_data(fields) end

---Declares a file of dist/.
---@param fields { target: string, variant: string, kind: string, name: string, media_type: string, from: kiln.Ref, where?: string }
function kiln.artefact(fields) end

---Declares the release. version, license and date may be { ["$fact"] = LEAF, field = NAME }.
---@param fields { name: string, version: any, license: any, date: any, summary?: string, homepage?: string, where?: string }
function kiln.recipe(fields) end

---@class kiln.Target what a toolchain says for a triple
---@field triple string
---@field name string the toolchain's
---@field image string
---@field path? string[] folders of the image where stages look for programs; default: /usr/bin, /bin
---@field build string what configure calls the machine that compiles
---@field host string what configure calls the target
---@field debian string Debian's name of the architecture
---@field cc string[]
---@field cxx string[]
---@field link_flags string[]
---@field emulator string[] empty where the target's programs run as they are
---@field tools { ar: string, ranlib: string, nm: string, strip: string, profdata: string, bolt?: string, merge_fdata?: string, perf2bolt?: string }
---@field bolt? { runtime_library?: string } present where BOLT works
---@field arch string added by release
---@field os string added by release
---@field exe string added by release: ".exe" or ""
---@field cross boolean added by release: its programs need an emulator

---@class kiln.How what one variant's build is
---@field kind "build"|"instrument"|"rebuild"
---@field address string
---@field level? string "-O3"; plain has none
---@field lto? "thin"|"full"
---@field counting? boolean its programs write a profile
---@field relocs? boolean BOLT comes after
---@field cflags string[] the same for a C compiler
---@field ldflags string[]
---@field profile? kiln.Ref the profile to use
---@field late? string[] those of cflags that what configures must not see

---nil, what is wrong, and a note where there is no such toolchain or it does not list the triple.
---@param name string
---@param triple string
---@return kiln.Target?, string?, string?
function kiln.toolchain(name, triple) end

---nil, what is wrong, and the nearest triple where it is none.
---@param text string
---@return { base: string, arch: string, os: string, env: string, glibc: string }?, string?, string?
function kiln.triple(text) end

---What lies at a path beside the recipe.
---A link that leads out of the project is an error.
---@param path string
---@return "file"|"folder"|nil
function kiln.stat(path) end

---The version of a tag that matches the glob, see git.version.
---@param glob string
---@return string
function kiln.git_version(glob) end

---The text of a file beside the recipe.
---@param path string
---@return string
function kiln.read(path) end

---See cargo.manifest.
---@param dir string
---@return { path: string, name: string, version?: string, license?: string, license_file?: string, bins: string[] }
function kiln.cargo_manifest(dir) end

---What is wrong with an extended regular expression; nil: nothing.
---@param text string
---@return string?
function kiln.regex(text) end

---Whether a script beside the recipe may be executed, and the program that its first line names.
---@param path string
---@return boolean, string?
function kiln.script(path) end

---See option.
---@generic T: string|boolean|integer
---@param name string
---@param default T
---@return T
function kiln.option(name, default) end

---The line of the recipe that is being run, FILE:LINE.
---@return string
function kiln.where() end

---Ends the evaluation with an error that shows the recipe's line. `path` leads from the table
---constructor at `where` (behind the name `callee`) to a field: { "targets", "1" }; `key` points at its
---name and not at its value.
---@param fault { text: string, note?: string, where?: string, callee?: string, path?: string[], key?: boolean }
function kiln.fail(fault) end

---The name nearest to a word, nil where none is near.
---@param word string
---@param names string[]
---@return string?
function kiln.nearest(word, names) end

---A function as the library's are: errors in it name the line that called it, even in a tail call.
---@generic F: function
---@param f F
---@return F
function kiln.entry(f) end
