using System.Text.RegularExpressions;
using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using TrackMate.Store;

namespace TrackMate.Tests;

/// <summary>
/// Which room of src/TrackMate may use which, looked up in the compiled types. The data walks forward: Receive → Bind → Store → Show; Bind knows nothing, Host may know
/// all. Inside Store: Sql ← Tables ← Derive ← Timeline ← Ingest ← Acts, Erase, Rebuild, Move, none of the last four on another.
/// </summary>
public sealed partial class ArrowsTests
{
    /// <summary>Room by room, the others it may use. A room of <c>Store</c> that is named as <c>Store</c> stands for all of them.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Bind"] = [],
        ["Store.Sql"] = [],
        ["Store.Tables"] = ["Bind", "Store.Sql"],
        ["Store.Derive"] = ["Bind", "Store.Sql", "Store.Tables"],
        ["Store.Timeline"] = ["Bind", "Store.Sql", "Store.Tables", "Store.Derive"],
        ["Store.Ingest"] = ["Bind", "Store.Sql", "Store.Tables", "Store.Derive", "Store.Timeline"],
        ["Store.Acts"] = ["Bind", "Store.Sql", "Store.Tables", "Store.Derive", "Store.Timeline", "Store.Ingest"],
        ["Store.Erase"] = ["Bind", "Store.Sql", "Store.Tables", "Store.Derive", "Store.Timeline", "Store.Ingest"],
        ["Store.Rebuild"] = ["Bind", "Store.Sql", "Store.Tables", "Store.Derive", "Store.Timeline", "Store.Ingest"],
        ["Store.Move"] = ["Bind", "Store.Sql", "Store.Tables"],
        ["Store"] = ["Bind", "Store"],
        ["Manage"] = ["Bind", "Store"],
        ["Receive"] = ["Bind", "Store", "Manage"],
        ["Show"] = ["Bind", "Store", "Manage"],
    };

    /// <summary>Arrows that are there against the rule, each with what it is for; to be taken back, never added to.</summary>
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        // How a call is refused and answered lies in Receive, and reading refuses and answers in the same way.
        "Show → Receive",

        // What a first start makes is said by the environment.
        "Manage → Host",
    };

    [Fact]
    public void Every_room_uses_only_those_below_it()
    {
        var wrong = new SortedSet<string>(StringComparer.Ordinal);
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var type in Architecture.Value.Types)
        {
            if (RoomOf(type) is not { } room || !Allowed.TryGetValue(room, out var allowed)) continue;
            // A generic parameter is taken for the first of its name, wherever that is declared.
            var uses = type.Dependencies.Select(dependency => dependency.Target).Where(used => used is not GenericParameter);
            foreach (var used in uses.Where(used => RoomOf(used) is { } other && !Reaches(room, allowed, other)))
            {
                var arrow = $"{room} → {RoomOf(used)}";
                found.Add(arrow);
                if (!Known.Contains(arrow)) wrong.Add($"{arrow}: {type.FullName} uses {used.FullName}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.Equal(Known.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    }

    /// <summary>A room that no rule speaks of would be free to use anything.</summary>
    [Fact]
    public void Every_room_has_a_rule() =>
        Assert.Equal("Host", string.Join(", ", Architecture.Value.Types.Select(RoomOf).OfType<string>().Distinct().Where(room => !Allowed.ContainsKey(room))));

    /// <summary>Whose an event is follows from what is stored and nothing else: no waiting, no I/O, no clock, no chance.</summary>
    [Fact]
    public void Bind_is_pure()
    {
        var impure = SourcesOf("Bind").SelectMany(source => Impure().Matches(source.Text).Select(word => $"{source.File}: {word.Value}"));
        Assert.Equal("", string.Join('\n', impure));
    }

    private static readonly Lazy<Architecture> Architecture = new(() => new ArchLoader().LoadAssembly(typeof(MessageStore).Assembly).Build());

    private static bool Reaches(string room, string[] allowed, string other) =>
        other == room || allowed.Contains(other) || (allowed.Contains("Store") && other.StartsWith("Store.", StringComparison.Ordinal));

    /// <summary>The first folder, and inside Store the second one too; null for what is not the program's, and for the program's entry.</summary>
    private static string? RoomOf(IType type)
    {
        var parts = (type.Namespace?.FullName ?? "").Split('.');
        if (parts is not ["TrackMate", var folder, ..]) return null;
        return folder == "Store" && parts.Length > 2 ? $"Store.{parts[2]}" : folder;
    }

    private static IEnumerable<(string File, string Text)> SourcesOf(string folder)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "TrackMate.slnx"))) root = root.Parent ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        return Directory.EnumerateFiles(Path.Combine(root.FullName, "src", "TrackMate", folder), "*.cs", SearchOption.AllDirectories)
            .Select(file => (Path.GetRelativePath(root.FullName, file), File.ReadAllText(file)));
    }

    [GeneratedRegex(@"\basync\b|\bawait\b|\bTask\b|HttpContext|Sqlite|TimeProvider|UtcNow|\bFile\.|\bDirectory\.|\bRandom|Guid\.")]
    private static partial Regex Impure();
}
