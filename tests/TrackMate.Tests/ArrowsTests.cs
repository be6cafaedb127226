using System.Text.RegularExpressions;
using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using TrackMate.Store;

namespace TrackMate.Tests;

/// <summary>
/// Which room of src/TrackMate may use which, looked up in the compiled types. The data walks forward: Receive → Bind → Store → Show, with Http, the edge, below Receive and Show;
/// Bind knows nothing, Host may know all. Inside Store: Sql ← Tables ← Derive ← Timeline ← Ingest ← Acts, Erase, Rebuild, Move, none of the last four on another.
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
        ["Http"] = ["Bind", "Store", "Manage"],
        ["Receive"] = ["Bind", "Store", "Manage", "Http"],
        ["Show"] = ["Bind", "Store", "Manage", "Http"],
        ["Transfer"] = ["Bind", "Store", "Manage", "Http", "Receive", "Show"],
    };

    [Fact]
    public void Every_room_uses_only_those_below_it()
    {
        var wrong = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var type in Architecture.Value.Types)
        {
            if (RoomOf(type) is not { } room || !Allowed.TryGetValue(room, out var allowed)) continue;
            // A generic parameter is taken for the first of its name, wherever that is declared.
            var uses = type.Dependencies.Select(dependency => dependency.Target).Where(used => used is not GenericParameter);
            foreach (var used in uses.Where(used => RoomOf(used) is { } other && !Reaches(room, allowed, other))) wrong.Add($"{room} → {RoomOf(used)}: {type.FullName} uses {used.FullName}");
        }

        Assert.Equal("", string.Join('\n', wrong));
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
