using System.Buffers;
using System.Reflection;
using System.Text.RegularExpressions;

namespace TrackMate.Receive;

/// <summary>Which User-Agent headers are a program's, by the patterns of isbot (<c>Receive/bots.txt</c>) and a few of our own.</summary>
/// <remarks>Strangers write these headers, so each step is linear in their length: words are searched all at once, and the rest by an engine that never goes back.</remarks>
internal static class Bots
{
    /// <summary>Of a longer header the rest is not read; browsers' have 300 characters at most.</summary>
    private const int MaxRead = 1024;

    private const RegexOptions Options = RegexOptions.IgnoreCase | RegexOptions.CultureInvariant;

    /// <summary>What isbot leaves out as rare: services and programs that drive a browser, and an old crawler.</summary>
    private static readonly string[] More = ["gtmetrix", "jsdom", "prerender", "puppeteer", "slurp"];

    private static readonly string[] Patterns = [.. Read().Where(line => !line.StartsWith('#')), .. More];

    private static readonly SearchValues<string> Words = SearchValues.Create([.. Patterns.Where(IsLiteral).Select(Literal)], StringComparison.OrdinalIgnoreCase);

    private static readonly Regex AtTheStart = Linear(Patterns.Where(pattern => pattern[0] == '^'));

    private static readonly Regex Anywhere = Linear(Patterns.Where(pattern => pattern[0] != '^' && !IsLiteral(pattern) && !LooksAround(pattern)));

    /// <summary>Patterns that look around themselves are none for the linear engine. They repeat nothing, so they too take a bounded number of steps at each character.</summary>
    private static readonly Regex LookingAround = new(Join(Patterns.Where(LooksAround)), Options | RegexOptions.Compiled, Regex.InfiniteMatchTimeout);

    public static bool IsBot(string header)
    {
        var read = header.Length > MaxRead ? header[..MaxRead] : header;
        // Cubot is a maker of phones, whose owners are no bots.
        read = read.Replace("cubot", "phone", StringComparison.OrdinalIgnoreCase);
        return read.AsSpan().ContainsAny(Words) || AtTheStart.IsMatch(read) || Anywhere.IsMatch(read) || LookingAround.IsMatch(read);
    }

    /// <summary>Whether a pattern has a look-ahead or look-behind.</summary>
    public static bool LooksAround(string pattern) => pattern.Contains("(?!", StringComparison.Ordinal) || pattern.Contains("(?=", StringComparison.Ordinal) || pattern.Contains("(?<", StringComparison.Ordinal);

    /// <summary>The lines of the file that the program carries.</summary>
    public static IEnumerable<string> Read()
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream("bots.txt")!);
        while (reader.ReadLine() is { } line) yield return line;
    }

    private static Regex Linear(IEnumerable<string> patterns) => new(Join(patterns), Options | RegexOptions.NonBacktracking);

    private static string Join(IEnumerable<string> patterns) => string.Join('|', patterns.Select(pattern => $"(?:{pattern})"));

    // A dot, a bar or a bracket behind a backslash stands for itself.
    private static bool IsLiteral(string pattern) => Literal(pattern).Length > 0;

    private static string Literal(string pattern)
    {
        var literal = pattern.Replace("\\.", ".", StringComparison.Ordinal).Replace("\\|", "|", StringComparison.Ordinal).Replace("\\(", "(", StringComparison.Ordinal).Replace("\\)", ")", StringComparison.Ordinal);
        return Regex.Escape(literal).Replace("\\ ", " ") == pattern ? literal : "";
    }
}
