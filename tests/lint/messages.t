#!/usr/bin/perl
# usage: tests/lint/messages.t [-v]
# Every message that a wrong recipe, project or command line gets has its case: the text of each, taken
# from the library's and the program's sources, must stand in some test. Prints TAP, one test a source
# file. What is compared is the longest piece of a message without its values; -v lists what was found.
use strict;
use warnings;

my @sources    = qw(recipes/lib orchestrator);
my $refusing = qr/err_set|usage_error|lower_refuse|refuse|luaL_error|value_fault|declare_fault/;
my $least    = 10;    # characters that tell one message from others

# What nothing outside can bring about, or only by chance: the piece, and why.
my %unprovoked = (
    'the recipe has no date: every file of a release needs one that does not come from the clock' =>
      'every kind of source that may give a date gives one',
    'is not seconds since 1970'            => 'nor does one give another',
    'since the recipe read it: the release would not be what its rebuild archive says' =>
      'a file that changes within a run',
    'the flags of the profile'             => 'a limit of 64 KiB on the flags of a toolchain',
    'the stages that lead to the profile'  => 'a limit of 64 MiB on stages',
    'the process that evaluates the recipe was ended by signal' => 'a kernel out of memory',
    'an error while handling an error'     => 'an interpreter out of memory',
    'it cannot be read'                    => 'a disk that fails',
    'submodules are nested too deeply'     => 'a limit on their depth',
    'name one by its digest'               => 'two images take minutes to make',
    'the path has a blank or a sign that means something to apt' => 'a keyring at such a path',
    'an entry has no readable name' =>
      'a libarchive that gives an entry no name: what it cannot read it reports itself',
    'cannot hash'     => 'an OpenSSL that fails within MD5',
    'is not a folder' => 'a folder that goes away just after it was made',
    'this machines architecture is not one of Debians' => 'a machine of another kind',
    'this machines architecture is not one of Debians; Kilns images cannot run here' =>
      'a machine of another kind',
    'Debian has no name for this machines architecture' => 'a machine of another kind',
    'no toolchain of Kilns builds for this machine'     => 'a machine of another kind',
    'none of /mnt, /media, /srv, /opt and /tmp can be mounted over' =>
      'a machine that has none of these folders',
    'bubblewrap is not installed' => 'it is taken away between its probe and a stage',
    'kiln.lock pins the tree sha256' => 'the same packages, by digest, that unpack to another tree',
    'the action is larger than 64 MiB' => 'a limit of 64 MiB on actions',
    'the smoke test has too many cases' => 'a limit of MiBs on the digests of cases',
    'the request for'                   => 'a limit of 64 KiB on requests, which hold an address and digests',
    'its definition is too large'       => 'a limit of 1 MiB on definitions',
    'packages is too large'             => 'a limit on the index of an image of all of Debian',
    'the package has too many files'    => 'a limit of 64 MiB on lists of files',
    'a signature bundle would be larger than' => 'a limit of MiBs on statements',
    'is too large'                      => 'a limit of MiBs on statements',
    'would be too large'                => 'a limit of MiBs on documents',
    'the provenance would be too large' => 'a limit of MiBs on documents',
    'the manifest would be too large'   => 'a limit of MiBs on documents',
    'the list of sums would be too large' => 'a limit of MiBs on documents',
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
my ($n, $failed) = (0, 0);
for my $file (grep { /\.(?:c|lua)$/ && !/\.d\.lua$/ } files(@sources)) {
    my $text  = slurp($file);
    my @found = $file =~ /\.lua$/ ? messages_of_lua($text) : messages_of_c($text);
    my @without;
    for my $message (@found) {
        my ($line, @pieces) = @$message;
        next unless @pieces && length $pieces[0] >= $least;    # made of values: its caller's text
        next if $unprovoked{ $pieces[0] };
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
print "1..$n\n";
exit $failed;
