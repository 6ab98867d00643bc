# Shared by torture and soak: a folder of their own, a tiny image to build in, running Kiln in it.
package Lab;
use strict;
use warnings;

use Cwd qw(abs_path);
use Digest::SHA qw(sha256_hex);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use JSON::PP;
use POSIX qw(:sys_wait_h uname);
use Time::HiRes qw(sleep time);

my $json = JSON::PP->new->canonical;

our $triple = ( uname() )[4] eq 'aarch64' ? 'aarch64-unknown-linux-gnu' : 'x86_64-unknown-linux-gnu';

sub slurp {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "cannot read $path: $!\n";
    local $/ = undef;
    return scalar <$file> // '';
}

sub spew {
    my ( $path, $text, $mode ) = @_;
    open my $file, '>:raw', $path or die "cannot write $path: $!\n";
    print $file $text or die "cannot write $path: $!\n";
    close $file or die "cannot write $path: $!\n";
    chmod $mode, $path if defined $mode;
    return;
}

# The tools a test cannot do without; a missing one is a skip that is counted.
sub lacking {
    for my $need (@_) {
        my ( $command, $package ) = split /:/, $need;
        return $package if !grep { -x "$_/$command" } split /:/, $ENV{PATH};
    }
    return;
}

# A folder that goes away with the test, and an environment in which Kiln knows nothing of the user.
sub begin {
    my ($name) = @_;
    die "KILN is not set: the program to test\n" if !$ENV{KILN};
    my $kiln = abs_path( $ENV{KILN} );
    my $dir = tempdir( "kiln-$name-XXXXXX", DIR => $ENV{TMPDIR} // '/tmp', CLEANUP => !$ENV{KILN_KEEP} );
    delete @ENV{qw(CI KILN_STORE KILN_FAILPOINT KILN_FAILPOINT_RECORD)};
    adopt();
    @ENV{qw(NO_COLOR LC_ALL XDG_STATE_HOME HOME)} = ( 1, 'C.UTF-8', "$dir/state", "$dir/home" );
    make_path( "$dir/state", "$dir/home" );
    umask 022;
    return { kiln => $kiln, dir => $dir };
}

# What a killed Kiln leaves behind becomes this process's child, so that it can be seen and waited for.
sub adopt {
    my %prctl = ( x86_64 => 157, aarch64 => 167, riscv64 => 167, ppc64le => 171, s390x => 172 );
    my $number = $prctl{ ( uname() )[4] } // die "no number of prctl for this machine: add it to Lab.pm\n";
    syscall( $number, 36, 1, 0, 0, 0 ) == 0 or die "cannot become a subreaper: $!\n";
    return;
}

# ---- the image ---------------------------------------------------------------------------------

sub architecture { return ( uname() )[4] eq "aarch64" ? "arm64" : "amd64" }

my $container = { api => 1, distribution => 'debian', suite => 'trixie', packages => ['none'],
    architectures => [ architecture() ] };

# One member of a tar file: a file, a folder ("…/").
sub tar_member {
    my ( $name, $mode, $content ) = @_;
    my $dir = $name =~ m{/$};
    my $head = pack 'a100 a8 a8 a8 a12 a12 a8 a1 a100 a6 a2 a32 a32 a8 a8 a155 a12', $name,
      sprintf( '%07o', $mode ), ( sprintf '%07o', 0 ) x 2, sprintf( '%011o', length $content ),
      sprintf( '%011o', 315532800 ), ' ' x 8, $dir ? 5 : 0, '', 'ustar', '00', '', '', '', '', '', '';
    substr $head, 148, 8, sprintf "%06o\0 ", unpack '%32C*', $head;
    return $head . $content . "\0" x ( -length($content) % 512 );
}

# Programs of this machine with what they load, and the folders and files that a sandbox lays over.
sub image_files {
    my (@programs) = @_;
    my %files = map { ( "$_/" => '' ) } qw(build dev etc proc run sys tmp);
    $files{"etc/$_"} = "image\n" for qw(passwd group hosts hostname resolv.conf);
    for my $program (@programs) {
        my ($path) = grep { -x } map { "$_/$program" } qw(/usr/bin /bin);
        die "this test needs the program $program\n" if !$path;
        $files{"bin/$program"} = slurp($path);
        $files{ substr $_, 1 } //= slurp($_) for `ldd $path 2>/dev/null` =~ m{(/\S+)}g;
    }
    for my $path ( keys %files ) {
        $files{"$path/"} = '' while $path =~ s{/[^/]+/?$}{} && $path ne '';
    }
    return %files;
}

# Writes an exported image, and returns the section of the lock that pins it.
sub write_image {
    my ( $file, @programs ) = @_;
    my %files    = image_files(@programs);
    my $manifest = "kiln.image.manifest/1\n";
    my $members  = '';
    for my $name ( sort map { s{/$}{}r } keys %files ) {
        my $dir = exists $files{"$name/"};
        my $content = $dir ? '' : $files{$name};
        $manifest .= $dir ? "d 0755 0 0 $name\n"
          : sprintf "f 0755 0 0 %s %d %s\n", sha256_hex($content), length $content, $name;
        $members .= tar_member( "root/$name" . ( $dir ? '/' : '' ), 0755, $content );
    }
    my $section = {
        tree      => 'sha256:' . sha256_hex($manifest),
        container => 'sha256:' . sha256_hex( $json->encode($container) ),
        packages  => [], files => [],
    };
    my $head = {
        schema => 'kiln.image.export/1', name => 'tiny', architecture => architecture(),
        container => $container, lock => $section,
    };
    spew( $file,
            tar_member( 'kiln-image.json', 0644, $json->encode($head) )
          . tar_member( 'manifest', 0644, $manifest )
          . $members . "\0" x 1024 );
    return $section;
}

# A project that builds in the image: the container's definition, and the lock.
sub write_project {
    my ( $dir, $section ) = @_;
    make_path("$dir/.kiln/containers");
    spew( "$dir/.kiln/containers/tiny.yaml",
        "api: 1\ndistribution: debian\nsuite: trixie\narchitectures: [" . architecture() . "]\npackages: [none]\n" );
    spew( "$dir/kiln.lock",
        $json->encode( { schema => 'kiln.lock/1', images => { tiny => { architecture() => $section } } } ) );
    return;
}

# ---- running -----------------------------------------------------------------------------------

# Starts Kiln in a folder with its output in a file; leads a process group of its own. Returns its pid.
sub start {
    my ( $lab, %how ) = @_;
    spew( $how{log}, '' );    # a signal may come before it is opened: what it holds then is not this run's
    my $pid = fork // die "cannot fork: $!\n";
    return $pid if $pid;
    setpgrp;
    $ENV{$_} = $how{env}{$_} for keys %{ $how{env} // {} };
    chdir $how{in} or POSIX::_exit(127);
    open STDIN, '<', '/dev/null' or POSIX::_exit(127);
    open STDOUT, '>', $how{out} // '/dev/null' or POSIX::_exit(127);
    open STDERR, '>', $how{log} or POSIX::_exit(127);
    exec { $lab->{kiln} } 'kiln', @{ $how{argv} } or POSIX::_exit(127);
}

# The exit status of a wait status, "signal N" for a process that was killed.
sub status_text {
    my ($status) = @_;
    return WIFSIGNALED($status) ? 'signal ' . WTERMSIG($status) : WEXITSTATUS($status);
}

# Waits for a process, at most so many seconds; 'hangs' then.
sub finish {
    my ( $pid, $seconds ) = @_;
    my $end = time + $seconds;
    my $pause = 0.0005;
    while (1) {
        my $got = waitpid $pid, WNOHANG;
        return status_text($?) if $got == $pid;
        die "lost process $pid\n" if $got < 0;
        return 'hangs' if time > $end;
        sleep $pause;
        $pause *= 1.5 if $pause < 0.01;
    }
}

# Every process below some, and they themselves. Also what left its session.
sub family {
    my @all = @_;
    for ( my $i = 0 ; $i < @all ; $i++ ) {
        for my $task ( glob "/proc/$all[$i]/task/*/children" ) {
            open my $file, '<', $task or next;
            push @all, split ' ', <$file> // '';
        }
    }
    return @all;
}

# Ends a Kiln and all that it started at one moment, as a machine does that is switched off. What was
# just being started then is this process's child, as all orphans are; those below `spare` live on.
sub kill_family {
    my ( $root, @spare ) = @_;
    my @members;
    for ( my $n = -1 ; $n != @members ; ) {
        $n = @members;
        @members = family($root);
        kill 'STOP', @members;
    }
    kill 'KILL', @members;
    for ( my $quiet = 0 ; $quiet < 3 ; $quiet++ ) {
        my @late   = family($$);    # first: what begins meanwhile below others is no orphan
        my %spared = map { $_ => 1 } $$, $root, family(@spare);
        @late = grep { !$spared{$_} && is_alive($_) } @late;
        kill 'KILL', @late;
        $quiet = 0 if @late;
        sleep 0.001;
    }
    return @members;
}

sub is_alive {
    my ($pid) = @_;
    return ( eval { slurp("/proc/$pid/stat") } // '' ) =~ /\) [^ZX] \d/;
}

# Waits until nothing is left below this process; what is there after so many seconds is
# killed, and its pids are returned.
sub wait_gone {
    my ($seconds) = @_;
    my $end = time + $seconds;
    while (1) {
        my $got = waitpid -1, WNOHANG;
        return () if $got < 0;
        next      if $got > 0;
        last      if time > $end;
        sleep 0.002;
    }
    my @left = grep { $_ != $$ } family($$);
    my @names = map { command_of($_) } @left;
    kill 'KILL', @left;
    1 while waitpid( -1, 0 ) > 0;
    return @names;
}

# "PID NAME (state, parent) ARGUMENTS", for messages.
sub command_of {
    my ($pid) = @_;
    my $stat = eval { slurp("/proc/$pid/stat") } // '';
    my $state = $stat =~ /\) (\S) (\d+)/ ? "($1, child of $2)" : '';
    my $line = eval { slurp("/proc/$pid/cmdline") } // '';
    my $name = eval { slurp("/proc/$pid/comm") }    // "gone\n";
    $line =~ tr/\0\n/  /;
    chomp $name;
    return "$pid $name $state " . substr $line, 0, 100;
}

1;
