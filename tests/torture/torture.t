#!/usr/bin/perl
# usage: KILN=build/kiln tests/torture/torture.t [CASE-GLOB [MODE [POINT]]]
# Each case of tests/torture/cases is run once as it is, which says how many fail points it passes and
# what it gives. Then again on a fresh copy for each point, in each mode:
#   fail   what stands there fails, as on a full disk
#   kill   the process that comes there is killed
#   halt   all of Kiln is killed at that moment, as by a power switch
# After each: a documented exit status and a message, nothing left running; a check of the store finds
# nothing wrong; the same command then gives the same bytes, runs nothing again that was complete, and
# leaves nothing behind. TORTURE_STRIDE=N takes every N-th point, and of each name the first one that any
# case passes; every second of those is a kill too, and every fourth a halt. JOBS says how many run at once. Prints TAP: one test a case and mode.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use File::Find;
use JSON::PP;
use POSIX qw(WNOHANG);
use Lab;

my $stride   = $ENV{TORTURE_STRIDE} || 1;
my $jobs     = $ENV{JOBS} || 2;
my $patience = 60;     # seconds for one command
my $linger   = 20;     # seconds for what a killed one leaves
my @modes    = qw(fail kill halt);
my $names    = 32768;  # that a record holds
my ( $want_case, $want_mode, $want_point ) = @ARGV;

my $lab = Lab::begin('torture');

# ---- cases -------------------------------------------------------------------------------------

sub read_cases {
    my ( @cases, $file );
    for my $line ( split /^/, Lab::slurp("$FindBin::Bin/cases") ) {
        chomp $line;
        if    ( $line =~ /^== (.*)/ )          { push @cases, { name => $1, status => 0 } }
        elsif ( !@cases )                      { next }
        elsif ( $line =~ /^before (.*)/ )      { push @{ $cases[-1]{before} }, $1 }
        elsif ( $line =~ /^\$ kiln (.*)/ )     { $cases[-1]{argv} = [ split ' ', $1 ] }
        elsif ( $line =~ /^status (\d+)$/ )    { $cases[-1]{status} = $1 }
        elsif ( $line =~ /^bytes (.*)/ )       { push @{ $cases[-1]{bytes} }, split ' ', $1 }
        elsif ( $line =~ /^after (.*)/ )       { push @{ $cases[-1]{after} }, $1 }
        elsif ( $line =~ /^between (.*)/ )     { push @{ $cases[-1]{between} }, $1 }
        elsif ( $line =~ /^set (\w+)=(.*)/ )   { $cases[-1]{set}{$1} = $2 }
        elsif ( $line eq 'no image' )          { $cases[-1]{no_image} = 1 }
        elsif ( $line eq 'output varies' )     { $cases[-1]{varies} = 1 }
        elsif ( $line =~ /^(#.*)?$/ )          { next }
        else                                   { die "tests/torture/cases: not understood: $line\n" }
    }
    return @cases;
}

# ---- one run -----------------------------------------------------------------------------------

# A copy of a project and its store. Images are shared: nothing writes to them where they lie.
sub copy_world {
    my ( $from, $to ) = @_;
    system "rm -rf '$to' && mkdir -p '$to' && cp -a '$from/p' '$to/p' && mkdir -m 700 '$to/store'"
      . " && cd '$from/store' && cp -al images '$to/store/'"
      . " && cp -a \$(ls -A | grep -vx images) '$to/store/'" and die "cannot copy $from\n";
    return;
}

sub run_kiln {
    my ( $world, $argv, %how ) = @_;
    unlink "$world/p/events";
    return Lab::start(
        $lab,
        in   => "$world/p",
        argv => [ map { $_ eq 'IMAGE' ? "$lab->{dir}/image.tar" : $_ } @$argv ],
        env  => { %{ $how{env} // {} }, KILN_STORE => "$world/store" },
        out  => $how{out} // "$world/out",
        log  => "$world/log",
    );
}

# Commands of a case, as a shell understands them. Returns what failed.
sub type_in {
    my ( $world, @commands ) = @_;
    local $ENV{KILN_STORE} = "$world/store";
    for my $command (@commands) {
        my $status = system 'sh', '-c', "exec >'$world/log' 2>&1; cd '$world/p' || exit; "
          . "kiln() { '$lab->{kiln}' \"\$@\"; }; $command";
        return "failed: $command\n" . Lab::slurp("$world/log") if $status;
    }
    return;
}

sub kiln_status {
    my ( $world, $argv, %how ) = @_;
    return Lab::finish( run_kiln( $world, $argv, %how ), $patience );
}

# Stages by what became of them in the run that wrote these events: "done" or "cached".
sub events {
    my ($world) = @_;
    my %became;
    open my $file, '<', "$world/p/events" or return \%became;
    while ( my $line = <$file> ) {
        my $event = eval { decode_json($line) } or next;
        push @{ $became{ $event->{event} } }, $event->{stage} if $event->{stage};
    }
    return \%became;
}

sub record_new {
    my ($path) = @_;
    Lab::spew( $path, '' );
    truncate $path, 32 * ( $names + 1 ) or die "cannot make $path: $!\n";
    return;
}

# (passed, struck pid)
sub record_head {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "cannot read $path: $!\n";
    read $file, my $head, 12;
    my ( $passed, $matched, $struck ) = unpack 'LLl', $head;
    return ( $passed, $struck );
}

sub record_names {
    my ($path)   = @_;
    my $text     = Lab::slurp($path);
    my ($passed) = unpack 'L', $text;
    $passed = $names if $passed > $names;
    return map { unpack 'Z32', substr $text, 32 * $_, 32 } 1 .. $passed;
}

# Path → content of what a case gives, and the names of all else in its folder.
sub harvest {
    my ( $world, $case, $printed ) = @_;
    my %found;
    find(
        {
            no_chdir => 1,
            wanted   => sub {
                my ($path) = m{^\Q$world\E/p/(.+)}s or return;
                $found{$path} = -l $_ ? 'link ' . readlink : -d _ ? 'folder' : 'file';
            }
        },
        "$world/p"
    );
    delete $found{events};
    for my $path ( @{ $case->{bytes} // [] } ) {
        for my $file ( grep { m{^\Q$path\E(/|$)} && $found{$_} eq 'file' } keys %found ) {
            $found{$file} = 'sha256:' . Digest::SHA::sha256_hex( Lab::slurp("$world/p/$file") );
        }
    }
    $found{'standard output'} = $printed =~ s{\Q$world\E}{WORLD}gr if !$case->{varies};
    return \%found;
}

sub differences {
    my ( $expected, $found ) = @_;
    my %all = ( %$expected, %$found );
    return map { "$_: expected " . ( $expected->{$_} // 'nothing' ) . ', found ' . ( $found->{$_} // 'nothing' ) }
      grep { ( $expected->{$_} // '' ) ne ( $found->{$_} // '' ) } sort keys %all;
}

# What no command may leave in a store.
sub leftovers {
    my ($world) = @_;
    my $store = "$world/store";
    return map { "left in the store: " . substr $_, length "$store/" }
      glob("$store/{tmp,work}/* $store/{tmp,work}/.[!.]* $store/locks/action-* $store/images/.[!.]* $store/.[!.]*");
}

# ---- judging -----------------------------------------------------------------------------------

sub check_run {
    my ( $world, $case, $mode, $status ) = @_;
    my $log = Lab::slurp("$world/log");
    my @faults;
    push @faults, "it $status" if $status eq 'hangs';
    push @faults, "it ended with $status" if $mode eq 'fail' ? $status !~ /^[013567]$/
      : $status !~ /^([013567]|signal 9)$/;
    push @faults, "a successful run failed with status $status"
      if $mode eq 'fail' && $status =~ /^[1]$/ && $case->{status} != 1;
    push @faults, 'a message of a sanitizer or a bug' if $log =~ /Sanitizer|runtime error|bug in Kiln/;
    push @faults, 'no message' if $status =~ /^[1-9]/ && $log !~ /^kiln: |^  failed /m;
    return @faults;
}

# Whether all that a case gives is there, and whole; what a killed one left beside it is for the next run.
sub is_made {
    my ( $world, $case, $clean ) = @_;
    my $found = harvest( $world, $case, '' );
    return !grep { $_ ne 'standard output' && $clean->{$_} ne ( $found->{$_} // '' ) } keys %$clean;
}

sub check_after {
    my ( $world, $case, $clean, $before ) = @_;
    my @faults;
    my $status = kiln_status( $world, [qw(store fsck --json)], out => "$world/fsck" );
    my $found  = eval { decode_json( Lab::slurp("$world/fsck") ) } // {};
    push @faults, "store fsck ended with $status: " . Lab::slurp("$world/log") if $status ne '0';
    push @faults, "store fsck found " . Lab::slurp("$world/fsck")
      if $status eq '0' && ( $found->{corrupt}{count} || $found->{forgotten} );
    my $repeat = $case->{between} && is_made( $world, $case, $clean );
    push @faults, type_in( $world, @{ $case->{between} } ) if $repeat;
    $status = kiln_status( $world, $case->{argv}, env => $case->{set} );
    push @faults, "run again it ended with $status: " . Lab::slurp("$world/log") if $status ne $case->{status};
    my $printed = Lab::slurp("$world/out");
    my $again    = events($world);
    my %complete = map { $_ => 1 } @{ $before->{done} // [] };
    push @faults, map { "$_ ran again although it was complete" } grep { $complete{$_} } @{ $again->{done} // [] };
    push @faults, type_in( $world, @{ $case->{after} // [] } );
    push @faults, differences( $clean, harvest( $world, $case, $printed ) );
    push @faults, leftovers($world);
    push @faults, map { "left running: $_" } Lab::wait_gone($linger);
    return @faults;
}

# Runs the case with its N-th point failing. Returns (the name of the point, or undef where it did not
# come to it; the status; faults).
sub try_point {
    my ( $base, $world, $case, $clean, $mode, $n ) = @_;
    my $record = "$world.record";
    copy_world( $base, $world );
    record_new($record);
    my %how = ( fail => '', kill => ':kill', halt => ':halt' );
    my $pid = run_kiln( $world, $case->{argv},
        env => { %{ $case->{set} // {} }, KILN_FAILPOINT => "*:$n$how{$mode}", KILN_FAILPOINT_RECORD => $record } );
    my $status;
    if ( $mode eq 'halt' ) {
        my $end = time + $patience;
        until ( ( record_head($record) )[1] || defined $status ) {
            $status = Lab::status_text($?) if waitpid( $pid, WNOHANG ) == $pid;
            $status //= 'hangs' if time > $end;
            select undef, undef, undef, 0.001;
        }
        Lab::kill_family($pid) if !defined $status || $status eq 'hangs';
    }
    $status //= Lab::finish( $pid, $patience );
    Lab::kill_family($pid) if $status eq 'hangs';
    my @faults = check_run( $world, $case, $mode, $status );
    push @faults, map { "left running: $_" } Lab::wait_gone($linger);
    my ( undef, $struck ) = record_head($record);
    my $point = $struck ? ( record_names($record) )[ $n - 1 ] : '';
    # What cannot be written to standard error is not there, and all else of the run is as it was.
    @faults = grep { $_ ne 'no message' } @faults if $point eq 'file-write' && $status eq $case->{status};
    push @faults, "status $status without a failure" if !$struck && $status ne $case->{status};
    my $said = Lab::slurp("$world/log");
    push @faults, check_after( $world, $case, $clean, events($world) );
    push @faults, "it had said: $said" if @faults;
    return ( $struck ? ( record_names($record) )[ $n - 1 ] : undef, $status, @faults );
}

# ---- a case ------------------------------------------------------------------------------------

my ( $section, %sampled );

sub make_base {
    my ( $base, $case ) = @_;
    mkdir $base;
    system "cp -a '$FindBin::Bin/project' '$base/p'" and die "cannot copy the project\n";
    Lab::write_project( "$base/p", $section );
    my $made = kiln_status( $base, $case->{no_image} ? [qw(store stats)] : [qw(image import IMAGE)] );
    die "cannot make a store: ", Lab::slurp("$base/log") if $made ne '0';
    my $failed = type_in( $base, @{ $case->{before} // [] } );
    die "$case->{name}: $failed" if $failed;
    unlink "$base/p/events";
    return;
}

# The points to try: all, or a sample that has each name once and every so many-th of the rest.
sub choose_points {
    my @passed = @_;
    return grep { $_ <= @passed } $want_point if $want_point;
    my @chosen = grep {
        my $name = $passed[ $_ - 1 ];
        $stride == 1 || !$sampled{$name}++ || $_ % $stride == 0;
    } 1 .. @passed;
    return @chosen ? @chosen : int( ( @passed + 1 ) / 2 );
}

# In a child: every so many-th of the points. Prints lines "N STATUS" or "N fault: TEXT".
sub work_through {
    my ( $k, $points, $base, $world, $case, $clean, $mode, $to ) = @_;
    Lab::adopt();
    for ( my $i = $k ; $i < @$points ; $i += $jobs ) {
        my $n = $points->[$i];
        my ( $name, $status, @faults );
        for ( 1 .. 3 ) {    # a machine whose process table others fill for a moment says nothing of Kiln
            ( $name, $status, @faults ) = try_point( $base, $world, $case, $clean, $mode, $n );
            last if "@faults" !~ /Resource temporarily unavailable/;
        }
        my $text = join "\n", @faults;
        $text =~ s/\n/\n#   /g;
        print $to $name ? "$n $name: ended with $status\n" : "$n: not passed this time\n";
        print $to "fault at $n " . ( $name // 'not passed' ) . " (status $status): $text\n" if @faults;
        $to->flush;
    }
    return;
}

sub torture {
    my ( $base, $case, $clean, $mode, $points ) = @_;
    my ( @readers, @faults, %became );
    for my $k ( 0 .. $jobs - 1 ) {
        pipe my $from, my $to or die "cannot make a pipe: $!\n";
        my $pid = fork // die "cannot fork: $!\n";
        if ( !$pid ) {
            eval { work_through( $k, $points, $base, "$lab->{dir}/w$k", $case, $clean, $mode, $to ); 1 }
              or print $to "fault: $@";
            $to->flush;
            POSIX::_exit(0);
        }
        push @readers, [ $from, $pid ];
    }
    for my $reader (@readers) {
        my ( $from, $pid ) = @$reader;
        while ( my $line = <$from> ) {
            print "# $line" if $ENV{TORTURE_VERBOSE};
            $became{$1}++ if $line =~ /: (ended with .*|not passed this time)$/;
            push @faults, $line if $line =~ /^(fault|#)/;
        }
        waitpid $pid, 0;
    }
    return ( \%became, @faults );
}

sub count_text {
    my ($became) = @_;
    return join ', ', map { "$became->{$_} $_" } sort keys %$became;
}

# ---- all of it ---------------------------------------------------------------------------------

if ( my $package = Lab::lacking( 'bwrap:bubblewrap', 'sha256sum:coreutils', 'ldd:libc-bin' ) ) {
    print "1..0 # SKIP a tool is missing: install the Debian package $package\n";
    exit 0;
}
$section = Lab::write_image( "$lab->{dir}/image.tar", qw(sh cat cp mkdir sha256sum gzip) );
my @cases = read_cases();
my $glob  = $want_case // '*';
$glob = quotemeta($glob) =~ s/\\\*/.*/gr;
@cases = grep { $_->{name} =~ /^$glob$/ } @cases;
my @these = grep { !$want_mode || $_ eq $want_mode } @modes;
printf "1..%d\n", @cases * ( @these + 1 );
$| = 1;
my ( $test, $bad ) = ( 0, 0 );

sub result {
    my ( $ok, $what, @faults ) = @_;
    $test++;
    $bad++ if !$ok;
    print $ok ? "ok $test - $what\n" : "not ok $test - $what\n";
    print map { my $text = $_; $text =~ s/^(?!#)/# /mg; $text } @faults;
    return;
}

for my $i ( 0 .. $#cases ) {
    my $case = $cases[$i];
    my $base = "$lab->{dir}/base$i";
    make_base( $base, $case );
    my $world = "$lab->{dir}/clean";
    copy_world( $base, $world );
    record_new("$world.record");
    my $status = kiln_status( $world, $case->{argv}, env => { %{ $case->{set} // {} }, KILN_FAILPOINT_RECORD => "$world.record" } );
    my @passed = record_names("$world.record");
    my @wrong  = ( check_run( $world, $case, 'fail', $status ), leftovers($world), Lab::wait_gone($linger) );
    my $printed = Lab::slurp("$world/out");
    push @wrong, type_in( $world, @{ $case->{after} // [] } );
    my $clean = harvest( $world, $case, $printed );
    push @wrong, "it ended with $status, expected $case->{status}: " . Lab::slurp("$world/log")
      if $status ne $case->{status};
    push @wrong, "it passed no fail point" if !@passed;
    result( !@wrong, "$case->{name}: passes " . @passed . ' fail points', map { "$_\n" } @wrong );
    my @points = @wrong ? () : choose_points(@passed);
    for my $mode (@these) {
        my $each = $stride == 1 || $want_mode ? 1 : { fail => 1, kill => 2, halt => 4 }->{$mode};
        my @some = @points[ grep { $_ % $each == 0 } 0 .. $#points ];
        my ( $became, @faults ) = torture( $base, $case, $clean, $mode, \@some );
        push @faults, "not one point was tried\n" if !%$became;
        result( !@faults, "$case->{name}: $mode at " . @some . ' of them', @faults );
        print '#   ', count_text($became), "\n";
    }
    system 'rm', '-rf', $base, $world;
}
exit( $bad ? 1 : 0 );
