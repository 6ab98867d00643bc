#!/usr/bin/perl
# usage: tests/lint/messages.t [-v]
# Every message that a wrong recipe, project or command line gets has its case: the text of each, taken
# from the library's and the program's sources, must stand in some test. Prints TAP, one test a source
# file. What is compared is the longest piece of a message without its values; -v lists what was found.
use strict;
use warnings;

my @sources  = qw(recipes/lib orchestrator);
my $refusing = qr/err_set|usage_error|lower_refuse|refuse|luaL_error|value_fault|declare_fault/;
my $least    = 10;    # characters that tell one message from others

# What nothing outside can bring about, or only by chance: the file, its pieces, and why.
my %unprovoked = (
    'orchestrator/cli/prepare.c' => {
        'the recipe has no date: every file of a release needs one that does not come from the clock' =>
          'every kind of source that may give a date gives one',
        'is not seconds since 1970' => 'nor does one give another',
    },
    'orchestrator/cli/dist.c' => {
        'since the recipe read it: the release would not be what its rebuild archive says' =>
          'a file that changes within a run',
    },
    'orchestrator/cli/cmd_image.c'   => { 'name one by its digest' => 'two images take minutes to make' },
    'orchestrator/plan/identity.c'   => { 'the flags of the profile' => '64 KiB of flags of a toolchain' },
    'orchestrator/plan/maker.c'      => { 'the stages that lead to the profile' => '64 MiB of stages' },
    'orchestrator/engine/inputs.c'   => { 'the action is larger than 64 MiB' => '64 MiB of one stage' },
    'orchestrator/recipe/load.c'     => {
        'the process that evaluates the recipe was ended by signal' => 'a kernel out of memory',
    },
    'orchestrator/recipe/state.c' => { 'an error while handling an error' => 'an interpreter out of memory' },
    'orchestrator/recipe/world.c' => { 'it cannot be read' => 'a disk that fails' },
    'orchestrator/source/checkout.c' => { 'submodules are nested too deeply' => 'a limit on their depth' },
    'orchestrator/source/commit.c'   => { 'submodules are nested too deeply' => 'the same' },
    'orchestrator/source/unpack.c'   =>
      { 'is not a folder' => 'a folder that goes away just after it was made' },
    'orchestrator/external/archive_read.c' => {
        'an entry has no readable name' =>
          'a libarchive that gives an entry no name: what it cannot read it reports itself',
    },
    'orchestrator/external/md5.c' => { 'cannot hash' => 'an OpenSSL that fails within MD5' },
    'orchestrator/sandbox/stage.c' => {
        'none of /mnt, /media, /srv, /opt and /tmp can be mounted over' =>
          'a machine that has none of these folders',
    },
    'orchestrator/sandbox/bwrap.c' =>
      { 'bubblewrap is not installed' => 'it is taken away between its probe and a stage' },
    'orchestrator/image/ensure.c' => {
        'kiln.lock pins the tree sha256' => 'the same packages, by digest, that unpack to another tree',
    },
    'orchestrator/image/repository.c' => { 'packages is too large' => '64 MiB of packages of one image' },
    'orchestrator/exec/builtin_smoke.c' =>
      { 'the smoke test has too many cases' => 'digests that are larger than what names the cases' },
    'orchestrator/exec/server.c' =>
      { 'the request for' => '64 KiB of paths, an address and digests' },
    'orchestrator/package/deb.c'  => { 'the package has too many files' => '64 MiB of names' },
    'orchestrator/release/dist.c' => { 'would be too large' => '256 MiB of one SBOM' },
    'orchestrator/release/seal.c' => {
        'the provenance would be too large'   => '32 MiB of provenance',
        'the manifest would be too large'     => '64 MiB of manifest',
        'the list of sums would be too large' => '32 MiB of sums',
    },
);

# Quotes, escapes and line ends are written differently in C, Lua and shell.
sub plain {
    my ($text) = @_;
    $text =~ s/\\n/ /g;
    $text =~ s/%%/%/g;
    $text =~ s/["'`\\]//g;
    $text =~ s/\s+/ /g;
    return $text;
}

sub slurp {
    my ($path) = @_;
    open my $file, '<', $path or die "$path: $!\n";
    local $/;
    my $text = <$file> // '';
    $text =~ s/"\s*\n\s*"//g;    # literals that go on in the next line
    return $text;
}

sub files {
    my @found = split /\n/, qx(git ls-files -co --exclude-standard -- @_);
    die "git lists no files of @_\n" unless @found;
    return @found;
}

# The pieces of a message's literals that no value interrupts, longest first.
sub pieces {
    my @pieces;
    for my $literal (@_) {
        for my $piece (split /(?<!%)%(?:\.\*|[-0-9.])*(?:zu|ll[ud]|l[ud]|[sducx])/, $literal) {
            $piece = plain($piece);
            $piece =~ s/^[^a-zA-Z]+|[^a-zA-Z0-9]+$//g;
            push @pieces, $piece if $piece ne '';
        }
    }
    return sort { length $b <=> length $a } @pieces;
}

# [line, pieces] of each message in C.
sub messages_of_c {
    my ($text) = @_;
    my @messages;
    while ($text =~ /\b(?:$refusing)\s*\(((?:[^"();]|\([^"()]*\))*?)((?:"(?:[^"\\]|\\.)*"\s*(?:[A-Z_]+\s*)?)+)/g) {
        my ($arguments, $literals, $at) = ($1, $2, $-[0]);
        my ($code) = $arguments =~ /\b(ERR_[A-Z]+)/;
        next if ($code // '') =~ /^ERR_(?:BUG|IO|INTERRUPTED)$/;
        my $line = 1 + (substr($text, 0, $at) =~ tr/\n//);
        push @messages, [ $line, pieces($literals =~ /"((?:[^"\\]|\\.)*)"/g) ];
    }
    return @messages;
}

# The same in Lua: the texts of kiln.fail { } and of the functions *fault() around it.
sub messages_of_lua {
    my ($text) = @_;
    my ($balanced, @messages);
    $balanced =
      qr/(?:[^(){}"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\((??{$balanced})*\)|\{(??{$balanced})*\})/;
    while ($text =~ /(?<!function )(?:kiln\.fail\s*(\{$balanced*\})|\b(?:\w+_)?fault(\($balanced*\)))/g) {
        my ($call, $at) = ($1 // $2, $-[0]);
        $call =~ s/\b(?:where|callee|path|note|key)\s*=\s*(?:\{$balanced*\}|[^,}]*)//g;
        my @literals;
        push @literals, $1 // $2 while $call =~ /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'/g;
        push @messages, [ 1 + (substr($text, 0, $at) =~ tr/\n//), pieces(@literals) ];
    }
    return @messages;
}

my $verbose = @ARGV && $ARGV[0] eq '-v';
my $tests   = join "\n", map { -B $_ || $_ eq $0 ? () : plain(slurp($_)) } files('tests');
my ($n, $failed, %excused) = (0, 0);
for my $file (grep { /\.(?:c|lua)$/ && !/\.d\.lua$/ } files(@sources)) {
    my $text  = slurp($file);
    my @found = $file =~ /\.lua$/ ? messages_of_lua($text) : messages_of_c($text);
    my @without;
    for my $message (@found) {
        my ($line, @pieces) = @$message;
        next unless @pieces && length $pieces[0] >= $least;    # made of values: its caller's text
        if ($unprovoked{$file}{ $pieces[0] }) {
            $excused{"$file: $pieces[0]"} = 1;
            next;
        }
        my $has = grep { length >= $least && index($tests, $_) >= 0 } @pieces;
        print "# $file:$line: $pieces[0]\n" if $verbose;
        push @without, "$file:$line: $pieces[0]" unless $has;
    }
    next unless @found;
    $n++;
    $failed = 1 if @without;
    print @without ? 'not ok' : 'ok', " $n - ", scalar @found, " messages of $file\n";
    print "# no test has: $_\n" for @without;
}
my @stale = grep { !$excused{$_} }
  map { my $file = $_; map { "$file: $_" } keys %{ $unprovoked{$file} } } sort keys %unprovoked;
$n++;
$failed = 1 if @stale;
print @stale ? 'not ok' : 'ok', " $n - what cannot be provoked is there\n";
print "# no such message: $_\n" for @stale;
print "1..$n\n";
exit $failed;
