# A random project for soak: folders of sources, stages that take them and each other, random edits, and
# an evaluator that knows without Kiln what every stage gives, fails or is the same work as.
#   node: { t => 'f', c => content, x => executable } | { t => 'l', c => target } | { t => 'd', e => { name => node } }
package Graph;
use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use File::Path qw(make_path remove_tree);
use Lab;

sub pick { return $_[ int rand @_ ] }
sub chance { return rand() < $_[0] }

# ---- sources -----------------------------------------------------------------------------------

my @names = qw(a b c Cc d-e f.g h .hid zz);

sub new_file {
    my $content = join '', map { pick(qw(one two three four), "x\n", "\0", '') . ( chance(0.5) ? "\n" : '' ) } 1 .. int rand 5;
    $content = $content x 20000 if chance(0.02);
    return { t => 'f', c => $content, x => chance(0.2) ? 1 : 0 };
}

sub new_node {
    my ($depth) = @_;
    my $dice = rand;
    return { t => 'l', c => pick(qw(a b/c nowhere ../a .)) } if $dice < 0.12;
    return new_folder( $depth + 1 ) if $dice < 0.3 && $depth < 3;
    return new_file();
}

sub new_folder {
    my ($depth) = @_;
    return { t => 'd', e => { map { $_ => new_node($depth) } map { pick(@names) } 1 .. int rand 5 } };
}

# Every folder of a tree, with its path.
sub folders {
    my ( $node, $path ) = @_;
    return if $node->{t} ne 'd';
    my @below = map { folders( $node->{e}{$_}, $path eq '' ? $_ : "$path/$_" ) } sort keys %{ $node->{e} };
    return ( [ $node, $path ], @below );
}

# The node at a path, a whole tree at ''.
sub at {
    my ( $node, $path ) = @_;
    for my $name ( split m{/}, $path ) {
        return if !$node || $node->{t} ne 'd';
        $node = $node->{e}{$name};
    }
    return $node;
}

sub write_node {
    my ( $node, $path ) = @_;
    if    ( $node->{t} eq 'l' ) { symlink $node->{c}, $path or die "cannot make $path: $!\n" }
    elsif ( $node->{t} eq 'f' ) { Lab::spew( $path, $node->{c}, $node->{x} ? 0755 : 0644 ) }
    else {
        make_path($path);
        write_node( $node->{e}{$_}, "$path/$_" ) for sort keys %{ $node->{e} };
    }
    return;
}

# One edit of a tree, in the model and on the disk below $dir.
sub edit_tree {
    my ( $tree, $dir ) = @_;
    my ( $folder, $path ) = @{ pick( folders( $tree, '' ) ) };
    my $name = pick(@names);
    my $full = join '/', $dir, grep { $_ ne '' } $path, $name;
    my $old  = $folder->{e}{$name};
    my $dice = rand;
    if ( $old && $old->{t} eq 'f' && $dice < 0.5 ) {
        edit_file( $old, $full );
        return;
    }
    remove_tree($full) if $old;
    unlink $full;
    delete $folder->{e}{$name};
    return if $old && $dice < 0.7;
    $folder->{e}{$name} = new_node(2);
    write_node( $folder->{e}{$name}, $full );
    return;
}

# Content, content under an old time, the mode, or nothing but the time.
sub edit_file {
    my ( $file, $full ) = @_;
    my $dice = rand;
    if ( $dice < 0.2 ) {
        utime undef, undef, $full;
    }
    elsif ( $dice < 0.4 ) {
        $file->{x} = !$file->{x};
        chmod $file->{x} ? 0755 : 0644, $full;
    }
    elsif ( $dice < 0.6 && length $file->{c} ) {
        my @time = ( stat $full )[ 8, 9 ];
        substr $file->{c}, 0, 1, chr( ( ord( $file->{c} ) + 1 ) % 128 );
        open my $out, '+<:raw', $full or die "cannot edit $full: $!\n";
        print $out substr $file->{c}, 0, 1;
        close $out;
        utime @time, $full;
    }
    else {
        $file->{c} .= pick( 'more', "\n", int rand 1000 );
        Lab::spew( $full, $file->{c} );
    }
    return;
}

# ---- stages ------------------------------------------------------------------------------------

# What every stage does: the hash of all that it sees, a folder of it, and maybe a failure by the hash.
my $script = <<'SH';
one() {
	if [ -L "$1" ]; then echo "l $1 $(readlink "$1")"
	elif [ -d "$1" ]; then echo "d $1"; for f in "$1"/*; do one "$f"; done
	elif [ -x "$1" ]; then echo "x $1"; cat "$1"
	elif [ -e "$1" ]; then echo "f $1"; cat "$1"
	fi
}
{ echo "$1"; for i in i?; do one "$i"; done; } | sha256sum >o
sleep "$2"
mkdir -p d/sub; cp o d/a; chmod 755 d/a; echo "$1" >d/sub/b; ln -s a d/l
echo "said $1"
[ "$3" = fragile ] || exit 0
case $(cat o) in [0-3]*) echo "fails" >&2; exit 1;; esac
SH

sub new_stage {
    my ( $g, $i ) = @_;
    if ( $i > 0 && chance(0.1) ) {    # the same work under another name
        my $twin = $g->{stages}[ int rand $i ];
        return { %$twin, inputs => [ map { {%$_} } @{ $twin->{inputs} } ] };
    }
    return {
        salt    => 'salt' . int rand 1e6,
        option  => chance(0.2) ? 'opt' . int rand 3 : undef,
        sleep   => chance(0.3) ? pick( 0.01, 0.03, 0.1 ) : 0,
        fragile => chance(0.1),
        inputs  => [ map { new_input( $g, $i ) } 1 .. 1 + int rand 4 ],
    };
}

sub new_input {
    my ( $g, $i ) = @_;
    return { stage => int rand $i, path => pick(qw(o o d d/sub/b d/l)) } if $i > 0 && chance(0.6);
    my $leaf = int rand @{ $g->{leaves} };
    my ( undef, $path ) = @{ pick( folders( $g->{leaves}[$leaf], '' ) ) };
    return { leaf => $leaf, path => chance(0.6) ? '' : $path };
}

sub new {
    my ( $class, $dir ) = @_;
    my $g = bless { dir => $dir, options => {} }, $class;
    $g->{leaves} = [ map { new_folder(0) } 1 .. 2 + int rand 3 ];
    $g->{stages} = [];
    push @{ $g->{stages} }, new_stage( $g, $_ ) for 0 .. 2 + int rand 11;
    $g->write;
    return $g;
}

# The same project in another folder.
sub copy_to {
    my ( $g, $dir ) = @_;
    my $copy = bless { %$g, dir => $dir }, ref $g;
    $copy->{leaves} = [ map { copy_node($_) } @{ $g->{leaves} } ];
    $copy->{stages} = [ map { { %$_, inputs => [ map { {%$_} } @{ $_->{inputs} } ] } } @{ $g->{stages} } ];
    $copy->{options} = { %{ $g->{options} } };
    $copy->write;
    return $copy;
}

sub copy_node {
    my ($node) = @_;
    return {%$node} if $node->{t} ne 'd';
    return { t => 'd', e => { map { $_ => copy_node( $node->{e}{$_} ) } keys %{ $node->{e} } } };
}

# Sources anew, and the recipe; what Kiln needs beside them stays.
sub write {
    my ($g) = @_;
    remove_tree("$g->{dir}/src");
    write_node( $g->{leaves}[$_], "$g->{dir}/src/$_" ) for 0 .. $#{ $g->{leaves} };
    $g->write_recipe;
    return;
}

sub edit {
    my ($g) = @_;
    my $dice = rand;
    if ( $dice < 0.6 ) {
        my $leaf = int rand @{ $g->{leaves} };
        edit_tree( $g->{leaves}[$leaf], "$g->{dir}/src/$leaf" );
    }
    elsif ( $dice < 0.75 ) {
        $g->{options}{ 'opt' . int rand 3 } = 'v' . int rand 3;
    }
    else {
        my $i     = int rand @{ $g->{stages} };
        my $stage = $g->{stages}[$i];
        if    ( $dice < 0.83 ) { $stage->{salt} = 'salt' . int rand 1e6 }
        elsif ( $dice < 0.88 ) { $stage->{fragile} = !$stage->{fragile} }
        else                   { $stage->{inputs}[ int rand @{ $stage->{inputs} } ] = new_input( $g, $i ) }
    }
    $g->write_recipe;
    return;
}

sub salt_of {
    my ( $g, $stage ) = @_;
    return $stage->{salt} . ( $stage->{option} ? $g->{options}{ $stage->{option} } // 'none' : '' );
}

# What an input is now: a path that an edit took away is its whole folder.
sub path_of {
    my ( $g, $input ) = @_;
    return $input->{path} if defined $input->{stage} || at( $g->{leaves}[ $input->{leaf} ], $input->{path} );
    return '';
}

sub address { return "$Lab::triple/plain/s$_[0]" }

# Stages that nothing takes anything of: what the project makes.
sub sinks {
    my ($g) = @_;
    my %used = map { $_->{stage} => 1 } grep { defined $_->{stage} } map { @{ $_->{inputs} } } @{ $g->{stages} };
    return grep { !$used{$_} } 0 .. $#{ $g->{stages} };
}

sub lua { return '"' . ( $_[0] =~ s/([\\"])/\\$1/gr =~ s/\n/\\n/gr ) . '"' }

sub write_recipe {
    my ($g) = @_;
    my $text = <<"LUA";
kiln.recipe { name = "soak", version = "1.0", license = "MIT", date = 1700000000 }
local triple = "$Lab::triple"
kiln.target { triple = triple, toolchain = "llvm-19", image = "tiny",
  variants = { "plain" }, ship = "plain", reference = "plain" }
LUA
    $text .= 'local script = ' . lua($script) . "\nlocal l, s, opt = {}, {}, {}\n";
    $text .= qq{opt.opt$_ = option("opt$_", "none")\n} for 0 .. 2;
    $text .= qq{l[$_] = kiln.leaf("l$_", { kind = "folder", path = "src/$_" })\n} for 0 .. $#{ $g->{leaves} };
    for my $i ( 0 .. $#{ $g->{stages} } ) {
        my $stage = $g->{stages}[$i];
        my $salt  = lua( $stage->{salt} ) . ( $stage->{option} ? " .. opt.$stage->{option}" : '' );
        my $n     = 0;
        my $inputs = join ', ', map {
            my $path = path_of( $g, $_ );
            my $from = defined $_->{stage} ? "s[$_->{stage}]" : "l[$_->{leaf}]";
            $from .= ':at ' . lua($path) if $path ne '';
            '{ at = "i' . $n++ . "\", from = $from }"
        } @{ $stage->{inputs} };
        $text .= "s[$i] = stage.run { address = triple .. \"/plain/s$i\", outputs = { \"o\", \"d\" },\n"
          . "  argv = { \"sh\", \"-c\", script, \"sh\", $salt, \"$stage->{sleep}\", "
          . ( $stage->{fragile} ? '"fragile"' : '"sound"' ) . " },\n  inputs = { $inputs } }\n";
    }
    for my $i ( $g->sinks ) {
        $text .= qq(kiln.artefact { target = triple, variant = "plain", kind = "x", name = "s$i.txt",\n)
          . qq(  media_type = "text/plain", from = s[$i]:at "o" }\n);
    }
    Lab::spew( "$g->{dir}/kiln.lua", $text );
    return;
}

# Arguments for the options.
sub settings {
    my ($g) = @_;
    return map { ( '--set', "$_=$g->{options}{$_}" ) } sort keys %{ $g->{options} };
}

# ---- the evaluator -----------------------------------------------------------------------------

# What the script's function prints.
sub seen {
    my ( $node, $path ) = @_;
    return "l $path $node->{c}\n" if $node->{t} eq 'l';
    return ( $node->{x} ? 'x' : 'f' ) . " $path\n" . $node->{c} if $node->{t} eq 'f';
    return join '', "d $path\n", map { seen( $node->{e}{$_}, "$path/$_" ) } grep { !/^\./ } sort keys %{ $node->{e} };
}

sub digest {
    my ($node) = @_;
    return sha256_hex( $node->{t} . ( $node->{x} ? 'x' : '' ) . $node->{c} ) if $node->{t} ne 'd';
    return sha256_hex( 'd' . join '', map { "$_\0" . digest( $node->{e}{$_} ) } sort keys %{ $node->{e} } );
}

# For each stage: key (equal ones are the same work), fails, lost (it cannot run), out (its file).
sub evaluate {
    my ( $g, $runtime ) = @_;
    my @results;
    for my $stage ( @{ $g->{stages} } ) {
        my ( $n, $lost, $text, @key ) = ( 0, 0, salt_of( $g, $stage ) . "\n" );
        for my $input ( @{ $stage->{inputs} } ) {
            my $from = defined $input->{stage} ? $results[ $input->{stage} ] : undef;
            my $name = 'i' . $n++;
            $lost ||= $from && ( $from->{lost} || $from->{fails} );
            next if $lost;
            my $node = at( $from ? $from->{tree} : $g->{leaves}[ $input->{leaf} ], path_of( $g, $input ) );
            $text .= seen( $node, $name );
            push @key, "$name " . digest($node);
        }
        push @results, $lost ? { lost => 1 } : result_of( $stage, $text, salt_of( $g, $stage ) );
        $results[-1]{key} = sha256_hex( join "\n", $runtime, salt_of( $g, $stage ), $stage->{sleep}, !!$stage->{fragile}, @key ) if !$lost;
    }
    return @results;
}

sub result_of {
    my ( $stage, $text, $salt ) = @_;
    my $out = sha256_hex($text) . "  -\n";
    return {
        fails => scalar( $stage->{fragile} && $out =~ /^[0-3]/ ),
        out   => $out,
        tree  => {
            t => 'd',
            e => {
                o => { t => 'f', c => $out, x => 0 },
                d => {
                    t => 'd',
                    e => {
                        a   => { t => 'f', c => $out, x => 1 },
                        l   => { t => 'l', c => 'a' },
                        sub => { t => 'd', e => { b => { t => 'f', c => "$salt\n", x => 0 } } },
                    }
                }
            }
        },
    };
}

1;
