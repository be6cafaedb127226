using TrackMate.Bind;

namespace TrackMate.Store.Tables;

/// <summary>An agent in one column: <c>Chrome|Windows|desktop|</c>, with <c>bot</c> last where it is one.</summary>
internal static class AgentText
{
    /// <summary>Of a row of <c>message</c>: whether a bot sent it.</summary>
    public const string IsBot = "agent LIKE '%|bot'";

    public static string Write(Agent agent) => $"{agent.Browser}|{agent.System}|{agent.Device}|{(agent.Bot ? "bot" : "")}";

    public static Agent? Read(string? text) =>
        text?.Split('|') is [var browser, var system, var device, var bot] ? new(browser, system, device, bot.Length > 0) : null;
}
