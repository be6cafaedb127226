using System.Text.RegularExpressions;

namespace TrackMate.Tests;

/// <summary>Who may know whom in src/TrackMate: Receive → Bind → Store; Show, Send and Manage → Store; Bind knows nothing. Host may know all.</summary>
public sealed partial class ArrowsTests
{
    private const string Folders = "Bind|Store|Manage|Receive|Show|Send|Host";

    /// <summary>Folder by folder, the others it may use.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Bind"] = [],
        ["Store"] = ["Bind"],
        ["Manage"] = ["Bind", "Store"],
        ["Receive"] = ["Bind", "Store", "Manage"],
        ["Show"] = ["Bind", "Store", "Manage"],
        ["Send"] = ["Bind", "Store", "Manage"],
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
    public void Every_folder_knows_only_those_below_it()
    {
        var wrong = new SortedSet<string>(StringComparer.Ordinal);
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (folder, allowed) in Allowed)
        {
            foreach (var (file, text) in SourcesOf(folder))
            {
                foreach (var other in Uses().Matches(text).Select(use => use.Groups["folder"].Value).Where(other => other != folder && !allowed.Contains(other)))
                {
                    found.Add($"{folder} → {other}");
                    if (!Known.Contains($"{folder} → {other}")) wrong.Add($"{folder} → {other} in {file}");
                }
            }
        }

        Assert.Equal("", string.Join('\n', wrong));
        Assert.Equal(Known.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    }

    /// <summary>Whose an event is follows from what is stored and nothing else: no waiting, no I/O, no clock, no chance.</summary>
    [Fact]
    public void Bind_is_pure()
    {
        var impure = SourcesOf("Bind").SelectMany(source => Impure().Matches(source.Text).Select(word => $"{source.File}: {word.Value}"));
        Assert.Equal("", string.Join('\n', impure));
    }

    private static IEnumerable<(string File, string Text)> SourcesOf(string folder)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "TrackMate.slnx"))) root = root.Parent ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        var path = Path.Combine(root.FullName, "src", "TrackMate", folder);
        return Directory.Exists(path)
            ? Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(file => file.EndsWith(".cs", StringComparison.Ordinal) || file.EndsWith(".razor", StringComparison.Ordinal))
                .Select(file => (Path.GetRelativePath(root.FullName, file), File.ReadAllText(file)))
            : [];
    }

    /// <summary>A using of another folder's namespace, or a name that begins with it.</summary>
    [GeneratedRegex(@"(using\s+(static\s+|\w+\s*=\s*)?TrackMate\.|(?<![\w.])(TrackMate\.)?)(?<folder>" + Folders + @")(\.[A-Z]\w*|;)")]
    private static partial Regex Uses();

    [GeneratedRegex(@"\basync\b|\bawait\b|\bTask\b|HttpContext|Sqlite|TimeProvider|UtcNow|\bFile\.|\bDirectory\.|\bRandom|Guid\.")]
    private static partial Regex Impure();
}
