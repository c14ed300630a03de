# press_keys.sh PYTHON POLICY PICTURE: in an X display, watch a policy, press keys, take a picture, close the window.
"$1" -m mjx_assist replay "$2" --steps 100000 &
viewer=$!
for _ in $(seq 120); do
    sleep 1
    window=$(xdotool search --name MuJoCo 2>/dev/null | head -1)
    [ -n "$window" ] && break
done
sleep 20
xdotool windowfocus "$window"
for key in Up Up Return space; do
    xdotool key "$key"
    sleep 1
done
sleep 10
"$1" -c "from PIL import ImageGrab; ImageGrab.grab(xdisplay='').save('$3')"
xdotool windowquit "$window" || xdotool key ctrl+q
wait "$viewer"
