#!/usr/bin/perl
# usage: KILN=build/kiln [SOAK_SECONDS=60] [SOAK_SEED=N] [SOAK_STEPS=N] tests/soak/soak.t
# Random projects are edited and built, over and over, in one store: by one Kiln and by two at once,
# killed, interrupted and with faults (host/failpoint.h) at random moments, with collections and checks
# of the store between and beside. What must hold, after each step:
#   - what is lost from the store is missed where it is needed;
#   - what is built has the bytes that an evaluator of its own (Graph.pm) says, now and then also those of
#     a build in an empty store;
#   - nothing that was complete runs again, what was never run does not count as done, the same work in
#     two processes runs once: to the exact stage;
#   - a documented exit status; nothing left running; in the store nothing wrong and nothing left behind.
# Each step is random by the seed and its number alone. A difference ends it: the seed and the step are
# printed, and the folder stays. Moments of kills are real time: where a replay finds nothing, SOAK_SEED and
# more seconds may. Prints TAP.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../torture";
use File::Path qw(make_path remove_tree);
use JSON::PP;
use Time::HiRes qw(sleep time);
use Graph;
use Lab;

my $seconds = $ENV{SOAK_SECONDS} || 60;
my $steps   = $ENV{SOAK_STEPS}   || 1e9;
my $seed    = $ENV{SOAK_SEED} // int( time * 1000 ) % 1_000_000;
my $patience = 120;    # seconds for one command
my $linger   = 20;     # seconds for what a killed one leaves

if ( my $package = Lab::lacking( 'bwrap:bubblewrap', 'sha256sum:coreutils', 'ldd:libc-bin' ) ) {
    print "1..0 # SKIP a tool is missing: install the Debian package $package\n";
    exit 0;
}
my $lab     = Lab::begin('soak');
my $section = Lab::write_image( "$lab->{dir}/image.tar", qw(sh cat cp ln mkdir chmod readlink sha256sum sleep) );
my $store   = "$lab->{dir}/store";
my ( $step, $doing, $graph, $longest_end, %did ) = ( 0, 'beginning', undef, 0 );

# Keys of work: 1 complete, 0 perhaps; others were never begun.
my %known;

sub fail {
    my (@texts) = @_;
    my $text = join '', map { s/\n?$/\n/r } @texts;
    die "step $step ($doing): $text";
}

# ---- running Kiln ------------------------------------------------------------------------------

my $runs = 0;

# Starts a command; what becomes of it is in the run that is returned.
sub start {
    my ( $project, $argv, %how ) = @_;
    my $n   = $runs++ % 4;
    my $run = { log => "$lab->{dir}/log$n", out => "$lab->{dir}/out$n", argv => $argv };
    my %env = ( KILN_STORE => $how{store} // $store, %{ $how{env} // {} } );
    $run->{pid} = Lab::start( $lab, in => $project, argv => $argv, env => \%env, out => $run->{out}, log => $run->{log} );
    return $run;
}

sub finish {
    my ($run) = @_;
    $run->{status} = Lab::finish( $run->{pid}, $patience );
    $run->{said} = Lab::slurp( $run->{log} );
    if ( $run->{status} eq 'hangs' ) {
        my @members = map { Lab::command_of($_) } Lab::kill_family( $run->{pid} );
        fail( "kiln @{ $run->{argv} } hangs", @members, $run->{said} );
    }
    fail( "kiln @{ $run->{argv} } ended with $run->{status}", $run->{said} )
      if $run->{status} !~ /^([0123567]|signal (2|9|15))$/ || $run->{said} =~ /Sanitizer|runtime error|bug in Kiln/;
    return $run;
}

sub ok {
    my ( $run, @statuses ) = @_;
    finish($run) if !defined $run->{status};
    fail( "kiln @{ $run->{argv} } ended with $run->{status}, not @statuses", $run->{said} )
      if !grep { $run->{status} eq $_ } @statuses;
    return $run;
}

sub nothing_runs {
    my @left = Lab::wait_gone($linger);
    fail( 'left running:', @left ) if @left;
    return;
}

# ---- builds ------------------------------------------------------------------------------------

sub choose_build {
    return {
        jobs    => 1 + int rand 4,
        going   => Graph::chance(0.5),
        runtime => Graph::chance(0.1) ? 'host' : 'bwrap',
    };
}

# Starts a build of a graph; what it is expected to give is known from now.
sub start_build {
    my ( $g, $how, $name, %more ) = @_;
    my $made = "$lab->{dir}/made$name";
    remove_tree($made);
    unlink "$made.events";
    my @argv = ( 'build', '--offline', '-j', $how->{jobs}, '-o', $made, '--events', "$made.events",
        '--progress', 'plain', $g->settings );
    push @argv, '--keep-going' if $how->{going};
    push @argv, '--runtime', 'host' if $how->{runtime} eq 'host';
    my $run = start( $g->{dir}, \@argv, %more );
    @$run{qw(graph made results going)} = ( $g, $made, [ $g->evaluate( $how->{runtime} ) ], $how->{going} );
    return $run;
}

# Number of a stage → what became of it: start, done, cached, failed, skipped. Notes about it change nothing.
sub read_events {
    my ($run) = @_;
    my %became;
    open my $file, '<', "$run->{made}.events" or return \%became;
    while ( my $line = <$file> ) {
        my $event = eval { decode_json($line) } or next;
        my ($i) = ( $event->{stage} // '' ) =~ m{/s(\d+)$} or next;
        next if $event->{event} eq 'note';
        my $was = $became{$i} // 'start';
        fail("s$i is $event->{event} after it was $was") if $was !~ /^(start|wait)$/;
        $became{$i} = $event->{event};
    }
    return \%became;
}

# What runs told of is what may be: `known` as it was when they began. Then what they did is known.
sub check_events {
    my ( $before, @of ) = @_;
    my %ran;
    for my $run (@of) {
        my $became = $run->{became} = read_events($run);
        for my $i ( sort { $a <=> $b } grep { $became->{$_} ne 'skipped' } keys %$became ) {
            my ( $what, $result ) = ( $became->{$i}, $run->{results}[$i] );
            my $key = $result->{key} // fail("s$i is $what, and an input of it cannot be there");
            my $was = $before->{$key} // -1;
            if ( $what eq 'done' ) {
                fail("s$i ran again, and was complete") if $was == 1;
                fail("s$i ran twice")                   if $ran{$key}++;
                fail("s$i is done, and should fail")    if $result->{fails};
            }
            fail("s$i failed, and should not: $run->{said}") if $what eq 'failed' && !$result->{fails};
            fail("s$i failed, and was complete")             if $what eq 'failed' && $was == 1;
        }
    }
    for my $run (@of) {
        for my $i ( keys %{ $run->{became} } ) {
            my $key  = $run->{results}[$i]{key} // next;
            my $what = $run->{became}{$i};
            my $was  = $before->{$key} // -1;
            fail("s$i was found, and nobody ever ran it") if $what eq 'cached' && $was < 0 && !$ran{$key} && @of == 1;
            $known{$key} = 1 if $what =~ /^(done|cached)$/;
            $known{$key} //= 0 if $what eq 'start' && !$run->{results}[$i]{fails};
        }
    }
    return;
}

# A build that nobody disturbed: its status, its files, every stage accounted for.
sub check_whole {
    my ($run)  = @_;
    my @results = @{ $run->{results} };
    my $fails   = grep { $_->{fails} } @results;
    ok( $run, $fails ? 1 : 0 );
    for my $i ( 0 .. $#results ) {
        my $result = $results[$i];
        my $became = $run->{became}{$i} // 'unseen';
        next if $fails && !$run->{going};
        my $expected = $result->{lost} ? 'skipped|unseen' : $result->{fails} ? 'failed|skipped' : 'done|cached';
        fail("s$i is $became, not $expected") if $became !~ /^($expected)$/;
    }
    return if $fails;
    for my $i ( $run->{graph}->sinks ) {
        my $found = eval { Lab::slurp("$run->{made}/s$i.txt") } // 'no file';
        fail("s$i gave $found, not $results[$i]{out}") if $found ne $results[$i]{out};
    }
    return;
}

sub no_leftovers {
    my @left = glob "$store/{tmp,work}/* $store/{tmp,work}/.[!.]* $store/locks/action-* $store/images/.[!.]* $store/.[!.]*";
    fail( 'left in the store:', @left ) if @left;
    return;
}

# ---- steps -------------------------------------------------------------------------------------

sub copy_known { return {%known} }

sub build_alone {
    my $before = copy_known();
    my $run    = start_build( $graph, choose_build(), 0 );
    finish($run);
    check_events( $before, $run );
    check_whole($run);
    nothing_runs();
    no_leftovers();
    return;
}

sub build_again {
    my $how = choose_build();
    for ( 1 .. 2 ) {
        my $before = copy_known();
        my $run    = start_build( $graph, $how, 0 );
        finish($run);
        check_events( $before, $run );
        check_whole($run);
    }
    return;
}

# A signal for the main process, or an end of all at once.
sub choose_end {
    return { how => Graph::pick(qw(KILL KILL INT TERM all)), after => rand() ** 2 * Graph::pick( 0.03, 0.15, 0.4 ) };
}

sub end_it {
    my ( $run, $end, @spare ) = @_;
    sleep $end->{after};
    my $began = time;
    if ( $end->{how} eq 'all' ) { Lab::kill_family( $run->{pid}, map { $_->{pid} } @spare ) }
    else                        { kill $end->{how}, $run->{pid} }
    finish($run);
    my $took = time - $began;
    $longest_end = $took if $took > $longest_end;
    my %by = ( KILL => 9, all => 9, INT => 2, TERM => 15 );
    my $early = $run->{said} !~ /interrupted/ ? "|signal $by{ $end->{how} }" : '';
    fail( "after SIG$end->{how} it ended with $run->{status}", $run->{said} )
      if $run->{status} !~ ( $end->{how} =~ /KILL|all/ ? qr/^([01]|signal 9)$/ : qr/^([016]$early)$/ );
    return;
}

sub build_ended {
    my ( $end, $how, $before ) = ( choose_end(), choose_build(), copy_known() );
    $doing .= sprintf ' by %s after %.3f s', @$end{qw(how after)};
    my $run = start_build( $graph, $how, 0 );
    end_it( $run, $end );
    nothing_runs();
    check_events( $before, $run );
    return;
}

# The N-th fail point of some process of it fails, or kills that process.
sub build_faulted {
    my $spec = '*:' . ( 1 + int( rand() ** 2 * 400 ) ) . Graph::pick( '', '', ':kill', ':5', ':12' );
    my ( $how, $before ) = ( choose_build(), copy_known() );
    $doing .= " $spec";
    my $run = finish( start_build( $graph, $how, 0, env => { KILN_FAILPOINT => $spec } ) );
    nothing_runs();
    return check_events( $before, $run ) if $run->{status} ne '1';
    # Stages that should not may have failed by the fault: what was begun may be there, and no more is known.
    my $became = read_events($run);
    for my $i ( keys %$became ) {
        my $key = $run->{results}[$i]{key} // next;
        $known{$key} = 0;
    }
    %known = map { $_ => 0 } keys %known;
    return;
}

# Two at once: of one project, or of one and what it was before some edits. One may be ended.
sub build_twice {
    my $other = $graph;
    if ( Graph::chance(0.5) ) {
        $other = $graph->copy_to("$lab->{dir}/q");
        $other->edit for 1 .. int rand 3;
    }
    my ( $one, $two ) = ( choose_build(), choose_build() );
    my $end    = Graph::chance(0.4) ? choose_end() : undef;
    my $before = copy_known();
    $doing .= sprintf ', one ended by %s after %.3f s', @$end{qw(how after)} if $end;
    my @runs = ( start_build( $graph, $one, 0 ), start_build( $other, $two, 1 ) );
    end_it( $runs[0], $end, $runs[1] ) if $end;
    finish( $runs[0] ) if !$end;
    finish( $runs[1] );
    nothing_runs();
    check_events( $before, @runs );
    check_whole($_) for $end ? $runs[1] : @runs;
    return;
}

# Content goes that is none of Kiln's doing: of sources, of results, of what stands between them. The same words
# again, perhaps after edits: whatever is missed is taken in or made again.
sub build_after_losses {
    my $how   = choose_build();
    my $share = Graph::pick( 0.03, 0.3, 1 );
    my ( @gone, $before );
    $doing .= " of $share";
    for my $round ( 1, 2 ) {
        $before = copy_known();
        my $run = start_build( $graph, $how, 0 );
        finish($run);
        check_events( $before, $run );
        check_whole($run);
        next if $round == 2;
        @gone = grep { Graph::chance($share) } sort glob "$store/blobs/??/*";
        unlink @gone;
        %known = map { $_ => 0 } keys %known;
        $graph->edit for 1 .. int rand 3;
    }
    nothing_runs();
    ok( start( $graph->{dir}, [qw(store fsck)] ), 0 );    # results that nobody asked for are forgotten
    no_leftovers();
    return;
}

sub collect_argv { return Graph::pick( [], [], [qw(--size 0)], [qw(--age 0)], [ '--size', 3_700_000 + int rand 100_000 ], ['--dry-run'] ) }

sub forget {
    my (@argv) = @_;
    my $args = "@argv";
    if    ( $args =~ /--size 0|--age 0/ ) { %known = () }
    elsif ( $args =~ /--size/ )           { %known = map { $_ => 0 } keys %known }
    return;
}

sub collect {
    my $argv = collect_argv();
    $doing .= " @$argv";
    ok( start( $graph->{dir}, [ 'store', 'gc', @$argv ] ), 0 );
    forget(@$argv);
    no_leftovers();
    return;
}

# A collection or a check beside a build: whoever comes first; one of them may be killed.
sub build_beside {
    my ( $how, $before ) = ( choose_build(), copy_known() );
    my @argv = Graph::chance(0.7) ? ( 'gc', @{ collect_argv() } ) : ('fsck');
    my ( $first, $killed ) = ( Graph::chance(0.5), Graph::chance(0.3) );
    my $pause = rand 0.1;
    $doing .= " store @argv" . ( $killed ? ', killed' : '' );
    my $side = $first ? start( $graph->{dir}, [ 'store', @argv ] ) : undef;
    sleep $pause if $first;
    my $run = start_build( $graph, $how, 0 );
    sleep $pause if !$first;
    $side //= start( $graph->{dir}, [ 'store', @argv ] );
    if ($killed) {
        sleep rand 0.1;
        Lab::kill_family( $side->{pid}, $run->{pid} );
    }
    ok( $side, 0, $killed ? 'signal 9' : () );
    finish($run);
    nothing_runs();
    $_ = 0 for values %$before;
    check_events( $before, $run );
    check_whole($run);
    %known = map { $_ => 0 } keys %known if $argv[0] eq 'gc';
    return;
}

sub check_store {
    my $run   = ok( start( $graph->{dir}, [qw(store fsck --json)] ), 0 );
    my $found = decode_json( Lab::slurp( $run->{out} ) );
    fail( 'store fsck found', Lab::slurp( $run->{out} ) ) if $found->{corrupt}{count} || $found->{forgotten};
    no_leftovers();
    return;
}

# The oracle's other half: the same project from nothing.
sub build_from_nothing {
    my $fresh = "$lab->{dir}/fresh";
    remove_tree($fresh);
    make_path( $fresh, { mode => 0700 } );
    system 'cp', '-al', "$store/images", "$fresh/images" and fail('cannot copy the image');
    my %kept = %known;
    %known = ();
    my $run = finish( start_build( $graph, choose_build(), 0, store => $fresh ) );
    check_events( {}, $run );
    check_whole($run);
    %known = %kept;
    remove_tree($fresh);
    return;
}

# Whoever only looks changes nothing.
sub look {
    my $i    = int rand @{ $graph->{stages} };
    my @argv = @{ Graph::pick( ['plan'], [ 'plan', '--json' ], [ 'explain', "plain/s$i" ], [ 'store', 'stats' ] ) };
    push @argv, '--offline', $graph->settings if $argv[0] ne 'store';
    $doing .= " @argv";
    ok( start( $graph->{dir}, \@argv ), 0 );
    return;
}

# Sources change while they are read: any documented end will do, and no word about what it gave.
sub build_edited {
    my ( $how, $before ) = ( choose_build(), copy_known() );
    my @pauses = map { rand 0.02 } 1 .. 3;
    my $run    = start_build( $graph, $how, 0 );
    for my $pause (@pauses) {
        sleep $pause;
        $graph->edit;
    }
    finish($run);
    fail( "ended with $run->{status}", $run->{said} ) if $run->{status} !~ /^[0137]$/;
    $_->{salt} = 'anew' . int rand 1e6 for @{ $graph->{stages} };
    $graph->write_recipe;
    return;
}

sub begin_anew {
    remove_tree("$lab->{dir}/p");
    make_path("$lab->{dir}/p");
    Lab::write_project( "$lab->{dir}/p", $section );
    $graph = Graph->new("$lab->{dir}/p");
    return;
}

my @kinds = (
    [ 22, 'build',                 \&build_alone ],
    [ 6,  'build twice over',      \&build_again ],
    [ 23, 'build, ended',          \&build_ended ],
    [ 10, 'build with a fault',    \&build_faulted ],
    [ 12, 'two builds',            \&build_twice ],
    [ 7,  'build beside',          \&build_beside ],
    [ 4,  'collection',            \&collect ],
    [ 3,  'check',                 \&check_store ],
    [ 2,  'build from nothing',    \&build_from_nothing ],
    [ 5,  'build after losses',    \&build_after_losses ],
    [ 4,  'look',                  \&look ],
    [ 2,  'build while edited',    \&build_edited ],
);

sub one_step {
    srand( $seed * 1_000_003 + $step );
    if ( $step % 30 == 1 ) { begin_anew() }
    $graph->edit for 1 .. int rand 3;
    my $dice = rand 100;
    for my $kind (@kinds) {
        $dice -= $kind->[0];
        next if $dice >= 0;
        $doing = $kind->[1];
        $did{$doing}++;
        return $kind->[2]->();
    }
    return;
}

sub last_checks {
    $doing = 'at the end';
    build_alone();
    check_store();
    build_from_nothing();
    return;
}

$| = 1;
print "1..2\n# seed $seed, $seconds s\n";
mkdir $store, 0700;
make_path("$lab->{dir}/q");
Lab::write_project( "$lab->{dir}/q", $section );
srand $seed;
begin_anew();
$graph->copy_to("$lab->{dir}/q");
ok( start( $graph->{dir}, [ 'image', 'import', "$lab->{dir}/image.tar" ] ), 0 );
ok( start( $_, [qw(plan --offline)] ), 0 ) for "$lab->{dir}/p", "$lab->{dir}/q";    # their locks keep it
my $end = time + $seconds;
my $good = eval {
    while ( time < $end && $step < $steps ) {
        $step++;
        one_step();
    }
    1;
};
my $fault = $@;
print $good ? "ok 1 - $step random steps, seed $seed\n" : "not ok 1 - random steps, seed $seed\n";
if ( !$good ) {
    print $fault =~ s/^/# /gmr;
    print "# again: SOAK_SEED=$seed SOAK_STEPS=$step SOAK_SECONDS=100000 tests/soak/soak.t\n";
}
$good &&= eval { last_checks(); 1 };
print $good ? "ok 2 - the store is whole, and the last project as from nothing\n"
  : "not ok 2 - the end, seed $seed\n" . ( $@ =~ s/^/# /gmr );
printf "#   %s; a signal ended Kiln within %.2f s\n", join( ', ', map { "$_: $did{$_}" } sort keys %did ), $longest_end;
if ( !$good ) {
    $File::Temp::KEEP_ALL = 1;
    print "# its folder stays: $lab->{dir}\n";
}
Lab::wait_gone(1);
exit( $good ? 0 : 1 );
