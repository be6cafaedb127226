using System.Globalization;
using TrackMate.Store.Move;

namespace TrackMate.Host.Commands;

/// <summary>Shows the progress of a long command on stderr: on a terminal in one line that is redrawn, otherwise as a new line every few seconds.</summary>
internal sealed class ProgressLine(TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Redrawn = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Logged = TimeSpan.FromSeconds(5);

    private const int BarLength = 30;

    private readonly bool isTerminal = !Console.IsErrorRedirected;
    private long shownAt = time.GetTimestamp();
    private string part = "";
    private (long At, long Rows) began;
    private int drawn;

    public void Report(MoveStep step)
    {
        var now = time.GetTimestamp();
        // Moving and comparing have different speeds.
        var doing = step.Doing.Split(' ')[0];
        if (doing != part) (part, began) = (doing, (now, step.Rows));
        if (time.GetElapsedTime(shownAt, now) < (isTerminal ? Redrawn : Logged)) return;
        shownAt = now;
        var line = Line(step, time.GetElapsedTime(began.At, now));
        if (!isTerminal)
        {
            Console.Error.WriteLine(line);
            return;
        }

        Console.Error.Write("\r" + line.PadRight(drawn));
        drawn = line.Length;
    }

    /// <summary>Prints a sentence above the progress line.</summary>
    public void WriteLine(string sentence)
    {
        Clear();
        Console.Error.WriteLine(sentence);
    }

    /// <summary>Removes the progress line from the terminal.</summary>
    public void Clear()
    {
        if (drawn > 0) Console.Error.Write("\r" + new string(' ', drawn) + "\r");
        drawn = 0;
    }

    public void Dispose() => Clear();

    private string Line(MoveStep step, TimeSpan took)
    {
        var part = step.Of == 0 ? 1 : (double)step.Rows / step.Of;
        var bar = isTerminal ? $"[{new string('#', (int)(part * BarLength)).PadRight(BarLength, '.')}] " : "";
        var speed = took.TotalSeconds >= 1 && step.Rows > began.Rows ? (step.Rows - began.Rows) / took.TotalSeconds : 0;
        var left = speed > 0 ? string.Create(CultureInfo.InvariantCulture, $", {speed:N0} a second, {TimeSpan.FromSeconds((step.Of - step.Rows) / speed):h\\:mm\\:ss} left") : "";
        return string.Create(CultureInfo.InvariantCulture, $"{bar}{step.Doing}: {step.Rows:N0} of {step.Of:N0} ({part:P0}){left}");
    }
}
